import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { commonFiles, unitFile as unit } from '../rig/debian-example.ts';
import type { Files } from '../rig/fleet.ts';
import { gitKey, type Lab, type LabHost, labNeeds, makeLab, patience } from '../rig/lab.ts';
import { describeWith } from '../rig/needs.ts';
import { expectChain } from '../rig/sound.ts';

const approval = ['--system', 'exec', '--build', 'common/build'];

const motd = (text: string): Files => ({ 'common/etc/motd': `${text}\n` });

describeWith(labNeeds, 'machines and their Git server', () => {
  let lab: Lab;
  let web1: LabHost;
  let web2: LabHost;
  beforeAll(async () => {
    lab = await makeLab('autark-lab');
    await lab.fleet.server.commit({ files: commonFiles(), subject: 'Begin' });
    web1 = await lab.join('web1', approval);
    web2 = await lab.join('web2', approval);
  });
  afterAll(() => lab.remove());

  const push = (files: Files, subject = 'Change'): Promise<string> =>
    lab.fleet.server.commit({ files, subject });
  const isActive = async (host: LabHost, name: string): Promise<boolean> =>
    (await host.run(['systemctl', 'is-active', '--quiet', name])).code === 0;

  test('what is pushed reaches all of them', async () => {
    const revision = await push(motd('pushed'));
    for (const host of [web1, web2]) {
      expect(await host.settles(revision)).toBe('deployed');
      expect(await host.must(['cat', '/etc/motd'])).toBe('pushed');
      expectChain(await host.records(), host.name);
    }
  });

  test('a unit that a generation brings runs, and is gone with the next one', async () => {
    const file = '/etc/systemd/system/bell.service';
    const added = await push({ 'hosts/web1/units/bell.service': unit('ExecStart=/usr/bin/sleep infinity') });
    expect(await web1.settles(added)).toBe('deployed');
    expect(await isActive(web1, 'bell.service')).toBe(true);
    const removed = await push({ 'hosts/web1/units/bell.service': null });
    expect(await web1.settles(removed)).toBe('deployed');
    expect(await isActive(web1, 'bell.service')).toBe(false);
    expect((await web1.run(['test', '-e', file])).code).toBe(1);
  });

  test('a host cannot push what is another’s, nor main, and reads all', async () => {
    const git = (script: string) =>
      web1.run(['sh', '-euc', script, 'git', lab.url], {
        settings: [
          `--setenv=GIT_SSH_COMMAND=ssh -i ${gitKey} -o UserKnownHostsFile=/etc/autark/known_hosts`,
          ...['AUTHOR', 'COMMITTER'].flatMap((who) => [
            `--setenv=GIT_${who}_NAME=x`,
            `--setenv=GIT_${who}_EMAIL=x@example.org`,
          ]),
        ],
      });
    const cloned = await git('git clone --quiet "$1" /root/clone && git -C /root/clone branch --remotes');
    expect(cloned.code, cloned.stderr).toBe(0);
    expect(cloned.stdout).toMatch(/origin\/state\/web2/);
    const refs = (): Promise<string> => lab.fleet.server.git(['for-each-ref']);
    const before = await refs();
    for (const ref of ['main', 'state/web2', 'enroll/web2/0123456789abcdef', 'testing/web1']) {
      const script = `cd /root/clone; git commit --quiet --allow-empty -m x; git push --force origin HEAD:refs/heads/${ref}`;
      const { code, stderr } = await git(script);
      expect([code, stderr]).toEqual([1, expect.stringContaining(`refs/heads/${ref} is not for web1`)]);
    }
    expect(await refs()).toBe(before);
    const own = await git('cd /root/clone; git push origin HEAD:refs/heads/enroll/web1/0123456789abcdef');
    expect(own.code, own.stderr).toBe(0);
    await lab.fleet.server.git(['update-ref', '-d', 'refs/heads/enroll/web1/0123456789abcdef']);
  });

  test('a machine that is booted again goes on', async () => {
    const before = await web1.records();
    await web1.reboot();
    const revision = await push(motd('after the boot'));
    expect(await web1.settles(revision)).toBe('deployed');
    expect(await web1.must(['cat', '/etc/motd'])).toBe('after the boot');
    const records = await web1.records();
    expectChain(records, 'after a boot');
    expect(records.slice(before.length).map(({ status }) => status.outcome.event)).toEqual(['deployed']);
  });

  test('what is recorded without a network waits, and is delivered in order once it is back', async () => {
    const waiting = (count: number): Promise<string> =>
      web1.must([
        'sh',
        '-c',
        `until [ "$(ls /var/lib/autark/outbox | wc -l)" = ${count} ]; do sleep 0.1; done`,
      ]);
    // What was delivered before is off its mind.
    await waiting(0);
    const before = await web1.records();
    await web1.plug.cut();
    for (const [index, verb] of [['rollback', '--yes'], ['resume']].entries()) {
      const said = await web1.autark(verb);
      expect(said.code, said.stderr).toBe(0);
      await waiting(index + 1);
    }
    expect(await web1.records()).toEqual(before);
    await web1.plug.mend();
    await vi.waitUntil(async () => (await web1.records()).length >= before.length + 2, patience);
    const records = await web1.records();
    expectChain(records, 'after the network came back');
    const made = records.slice(before.length, before.length + 2);
    expect(made.map(({ status }) => status.outcome.event)).toEqual(['rolled-back', 'resumed']);
  });

  test('an admin pushes over ssh as the example has it, and all that was recorded is good', async () => {
    expect(await lab.fleet.world.mustAutark(['verify'])).toMatch(/: all is well$/);
  });
});
