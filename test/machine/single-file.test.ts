import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { bundled } from '../rig/single-file.ts';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, makeFleet, recordsOf } from '../rig/fleet.ts';
import { journalsOnFailure } from '../rig/journals.ts';
import { patience } from '../rig/lab.ts';
import { makeMachine, type Machine } from '../rig/machine.ts';
import { approveMachine, node, openToAll, remote } from '../rig/machine-host.ts';
import { describeWith } from '../rig/needs.ts';

const copy = '/root/autark.mjs';
const file = '/usr/local/bin/autark';
const agents = '/var/lib/autark/agent';

describeWith(['nspawn', 'trixie'], 'a machine that has node, git and the single file', () => {
  let fleet: Fleet;
  let host: Machine;
  beforeAll(async () => {
    fleet = await makeFleet('autark-single');
    await push('the first');
    host = makeMachine({
      name: 'web1',
      shows: { [process.execPath]: { to: node }, [fleet.world.remote]: { to: remote, writable: true } },
    });
    await openToAll(fleet.world.remote);
    await host.boot();
    await host.put(copy, (await bundled()).text, '0755');
  });
  afterAll(async () => {
    await host.remove();
    await fleet.world.remove();
  });
  journalsOnFailure(() => [host]);

  const push = (text: string): Promise<string> =>
    fleet.server.commit({ files: execHost('web1', text), subject: text });
  const runs = async (text: string): Promise<void> => {
    await vi.waitUntil(async () => (await host.run(['cat', '/etc/motd'])).stdout.trim() === text, patience);
  };
  const delivers = async (text: string): Promise<void> => {
    const revision = await push(text);
    await runs(text);
    const last = async () => (await recordsOf(fleet.server, 'web1')).at(-1);
    await vi.waitUntil(async () => (await last())?.parents[1] === revision, patience);
    expect((await last())?.status.outcome.event).toBe('deployed');
  };
  const starts = (): Promise<string> =>
    host.must(['systemctl', 'show', '--property=ExecStart', '--value', 'autark.service']);

  test('enrolled from a copy that is deleted then, it deploys what is pushed', async () => {
    const there = ['--remote', remote, '--host', 'web1', '--introduction', fleet.introduction];
    const enrolled = await host.run([copy, 'enroll', ...there, '--install-to', file]);
    expect(enrolled.stderr).toContain(`The agent is installed as ${file}.`);
    await host.must(['rm', copy]);
    await approveMachine(fleet, 'web1', enrolled, ['--system', 'exec', '--build', 'hosts/web1/build']);
    await runs('the first');
    await delivers('the second');
    expect(await starts()).toContain(`argv[]=${node} ${file} agent ;`);
    const owners = await host.must(['stat', '--format=%A %U', agents, `${agents}/installed`, file]);
    expect(owners).toBe('drwxr-xr-x root\n-rw-r--r-- root\nlrwxrwxrwx root');
    expect((await host.run([file, 'doctor'])).stdout).toContain('autark.service is enabled and active');
  });

  test('after a reboot it goes on', async () => {
    await host.reboot();
    await delivers('the third');
  });

  test('enrolled again, also from a newer copy, its units keep calling the installed one', async () => {
    const newer = `${(await bundled()).text}// newer\n`;
    await host.put(copy, newer, '0755');
    await host.must(['systemctl', 'stop', 'autark.service']);
    await host.must([copy, 'enroll']);
    expect(await starts()).toContain(`argv[]=${node} ${file} agent ;`);
    const before = await host.must(['readlink', `${agents}/current`]);
    // Beside the agent, which is another one after it.
    const agent = (): Promise<string> =>
      host.must(['systemctl', 'show', '--property=MainPID', 'autark.service']);
    const older = await agent();
    await host.must([copy, 'enroll', '--install-to', file]);
    expect(await agent()).not.toBe(older);
    await host.must(['rm', copy]);
    const after = await host.must(['readlink', `${agents}/current`]);
    expect(after).not.toBe(before);
    expect(await host.must(['sha256sum', join(agents, after)])).toContain(after.slice(0, 64));
    await delivers('the fourth');
  });

  test('uninstalled, it has left its settings, its memory and its users, and nothing else', async () => {
    const { code, stderr } = await host.run([file, 'enroll', '--uninstall']);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(`${file} is gone.`);
    // The second is of the tree that this machine was made from.
    const left = await host.must([...['find', '/', '-xdev', '-name', '*autark*', '-prune', '-print']]);
    expect(left.split('\n').sort()).toEqual(['/etc/autark', '/etc/autark-rootfs', '/var/lib/autark']);
    expect((await host.run(['pgrep', '--list-full', '--full', '[a]utark'])).stdout).toBe('');
    expect(await host.must(['cat', '/etc/motd'])).toBe('the fourth');
  });
});
