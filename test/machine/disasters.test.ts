import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { commonFiles } from '../rig/debian-example.ts';
import { copyDisk } from '../rig/disk.ts';
import { type Lab, type LabHost, labNeeds, makeLab, patience } from '../rig/lab.ts';
import { describeWith } from '../rig/needs.ts';
import { expectChain } from '../rig/sound.ts';

describeWith([...labNeeds, 'ext4'], 'machines in trouble', () => {
  let lab: Lab;
  let web1: LabHost;
  let web2: LabHost;
  beforeAll(async () => {
    lab = await makeLab('autark-trouble');
    await lab.fleet.server.commit({ files: commonFiles(), subject: 'Begin' });
    const approval = ['--system', 'exec', '--build', 'common/build'];
    web1 = await lab.join('web1', approval, { disk: { megabytes: 128 } });
    web2 = await lab.join('web2', approval, { disk: { megabytes: 128 } });
    for (const host of [web1, web2]) await host.settles(await lab.fleet.server.head());
  });
  afterAll(() => lab.remove());

  const push = (motd: string): Promise<string> =>
    lab.fleet.server.commit({ files: { 'common/etc/motd': `${motd}\n` }, subject: motd });
  const motdOf = (host: LabHost): Promise<string> => host.must(['cat', '/etc/motd']);
  const eventsOf = async (host: LabHost): Promise<string[]> =>
    (await host.records()).map(({ status }) => status.outcome.event);
  /** Until a machine has asked the server this often from now on. */
  const polls = async ({ plug }: LabHost, count: number): Promise<void> => {
    const asked = (): number =>
      lab.ssh.log().split(`Accepted publickey for root from ${plug.address} `).length;
    const before = asked();
    await vi.waitUntil(() => asked() >= before + count, patience);
  };
  const journalOf = async (host: LabHost): Promise<Record<string, unknown>> =>
    JSON.parse(await host.must(['cat', '/var/lib/autark/journal.json'])) as Record<string, unknown>;

  test('on a full disk the machine stays as it is, and goes on by itself once there is room', async () => {
    const before = await motdOf(web1);
    // To the brim: a small system fits into what large blocks leave.
    for (const size of ['64k', '512']) {
      await web1.run(['dd', 'if=/dev/zero', `of=/var/lib/filling-${size}`, `bs=${size}`]);
    }
    const revision = await push('after the full disk');
    await web2.settles(revision);
    await polls(web1, 2);
    const meanwhile = await motdOf(web1);
    await web1.must(['sh', '-c', 'rm /var/lib/filling-*']);
    expect(meanwhile).toBe(before);
    expect(await web1.settles(revision)).toBe('deployed');
    expect(await motdOf(web1)).toBe('after the full disk');
    expectChain(await web1.records(), 'after the full disk');
  });

  test('a server that lost everything gets all records again from the hosts, and main from an admin', async () => {
    const { world } = lab.fleet;
    await world.git(['pull', '--quiet']);
    const before = [await web1.records(), await web2.records()];
    await lab.replaceRepository();
    for (const host of [web1, web2]) await polls(host, 2);
    expect(await motdOf(web1)).toBe('after the full disk');
    await world.git(['push', '--quiet', 'origin', 'HEAD:refs/heads/main']);
    const revision = await push('after the loss');
    for (const [index, host] of [web1, web2].entries()) {
      expect(await host.settles(revision)).toBe('deployed');
      const records = await host.records();
      expectChain(records, host.name);
      expect(records.slice(0, before[index]?.length)).toEqual(before[index]);
      expect(await motdOf(host)).toBe('after the loss');
    }
    expect(await world.mustAutark(['verify'])).toMatch(/: all is well$/);
  });

  test('a machine put back to a snapshot goes on from what the server has, and says so', async () => {
    const kept = `${web1.image}.kept`;
    await web1.poweroff();
    await copyDisk(web1.image, kept);
    await web1.boot();
    for (const motd of ['forgotten', 'forgotten too']) await web1.settles(await push(motd));
    const before = await web1.records();
    await web1.poweroff();
    await copyDisk(kept, web1.image);
    await web1.boot();
    const revision = await push('after the snapshot');
    expect(await web1.settles(revision)).toBe('deployed');
    const records = await web1.records();
    expectChain(records, 'after the snapshot');
    expect(records.slice(0, before.length)).toEqual(before);
    expect((await eventsOf(web1)).slice(before.length)).toContain('restored');
    expect(await motdOf(web1)).toBe('after the snapshot');
  });

  test('of two machines with one key one stops writing, and the history stays whole', async () => {
    await web2.poweroff();
    const twin = lab.copy(web2);
    const before = await web2.records();
    await web2.boot();
    await twin.boot();
    const pair = [web2, twin];
    const stopped = async (): Promise<LabHost | undefined> => {
      for (const each of pair) if (Object.hasOwn(await journalOf(each), 'diverged')) return each;
      return undefined;
    };
    for (let turn = 0; (await stopped()) === undefined && turn < 5; turn += 1) {
      const revision = await push(`turn ${turn}`);
      await web2.settles(revision);
      for (const each of pair) await polls(each, 4);
    }
    const out = await stopped();
    expect(out).toBeDefined();
    const records = await web2.records();
    expectChain(records, 'written by two');
    expect(records.slice(0, before.length)).toEqual(before);
    expect(await lab.fleet.world.mustAutark(['verify'])).toMatch(/: all is well$/);
    await out?.poweroff();
    const other = pair.find((each) => each !== out) ?? web2;
    const revision = await push('one is left');
    if (Object.hasOwn(await journalOf(other), 'diverged')) await other.autark(['enroll', '--resume']);
    expect(await other.settles(revision)).toBe('deployed');
    expectChain(await other.records(), 'written by one');
  });
});
