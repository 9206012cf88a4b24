import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, keyAt, makeDeployed, newest } from '../rig/fleet.ts';
import { regraft } from '../rig/forged.ts';
import { loseAllButKeys, makeTwin } from '../rig/lives.ts';
import { expectAtRest, expectChain } from '../rig/sound.ts';

/** `enroll --resume`: a person says which machine goes on (S9), or that this one may, without its journal (S2). */
let fleet: Fleet & { host: FleetHost };
let host: FleetHost;
beforeEach(async () => {
  fleet = await makeDeployed('autark-resume');
  host = fleet.host;
});
afterEach(() => fleet.world.remove());

const branch = 'refs/heads/state/web1';
const deploy = async (motd: string) => {
  await fleet.server.commit({ files: execHost('web1', motd), subject: motd });
  return host.agent();
};
const journal = (): string => host.path('var/lib/autark/journal.json');
const events = async (): Promise<string[]> =>
  (await host.records()).map(({ status }) => status.outcome.event);
const lives = async (): Promise<number> =>
  new Set((await host.records()).map(({ status }) => status.installation)).size;

test('where nothing diverged there is nothing to resume', async () => {
  const before = host.journal();
  const { code, stdout, stderr } = await host.resume();
  expect([code, stdout]).toEqual([0, '']);
  expect(stderr).toMatch(/nothing to resume/);
  expect(host.journal()).toBe(before);
});

test('of two machines with one disk image one stops, and whichever is resumed makes the other stop', async () => {
  const twin = makeTwin(host);
  expect((await deploy('by one')).code).toBe(0);
  twin.turn();
  // The second machine cannot know that it is not the first, restored.
  expect((await deploy('by the other')).code).toBe(0);
  twin.turn();
  const stopped = await deploy('by one again');
  expect(stopped.code, stopped.stderr).toBe(12);
  expect(host.motd()).toBe('by one again');
  expect(stopped.stderr).toMatch(/state\/web1 holds a record .*`autark enroll --resume`/);
  const before = await host.records();
  expect((await host.agent()).code).toBe(12);

  const resumed = await host.resume();
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stderr).toMatch(/web1 goes on/);
  // Offline: nothing has changed on the server; twice says no more than once.
  expect(await host.records()).toEqual(before);
  const decided = host.journal();
  expect((await host.resume()).code).toBe(0);
  expect(host.journal()).toBe(decided);

  const ran = await host.agent();
  expect(ran.code, ran.stderr).toBe(0);
  const after = await host.records();
  expectChain(after, ran.stderr);
  expect(after.slice(0, before.length)).toEqual(before);
  expect((await events()).slice(before.length, before.length + 2)).toEqual(['restored', 'deployed']);
  expect(await lives()).toBe(2);
  expect((await host.agent()).code).toBe(0);
  expectAtRest(host, ran.stderr);

  twin.turn();
  const other = await deploy('late');
  expect(other.code, other.stderr).toBe(12);
  expect(other.stderr).toMatch(/is of installation [0-9a-f]{32}, and this one is [0-9a-f]{32}/);
});

describe('a machine that lost its journal', () => {
  test('is held (10) and told what to do; resumed, it goes on as a new installation', async () => {
    expect((await deploy('two')).code).toBe(0);
    const before = await host.records();
    const installation = before[0]?.status.installation;
    rmSync(journal());
    const held = await deploy('three');
    expect(held.code).toBe(10);
    expect(held.stderr).toContain('`autark enroll --resume`');
    expect(host.motd()).toBe('two');

    const resumed = await host.resume();
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toMatch(/web1 goes on from record 2 \([0-9a-f]{40}\)/);
    const ran = await host.agent();
    expect(ran.code, ran.stderr).toBe(0);
    expect(host.motd()).toBe('three');
    const after = await host.records();
    expectChain(after, ran.stderr);
    expect(after.slice(0, before.length)).toEqual(before);
    const [restored, deployed] = after.slice(before.length);
    expect((await events()).slice(before.length)).toEqual(['restored', 'deployed']);
    expect(restored?.status.reports).toEqual([expect.stringMatching(/journal .* was lost/)]);
    expect(restored?.status.installation).not.toBe(installation);
    // It runs what it ran, has it to go back to, and gives no number twice.
    expect(restored?.status.system).toMatchObject({ generation: 2 });
    expect(deployed?.status.system?.generation).toBe(3);
    expect(host.state('generations')).toEqual(['1', '2', '3']);
    expectAtRest(host, ran.stderr);
  });

  test('and all else but its key goes on too, under its old floors', async () => {
    const older = await fleet.server.head();
    expect((await deploy('two')).code).toBe(0);
    const before = await host.records();
    loseAllButKeys(host);
    expect((await host.resume()).code).toBe(0);
    await fleet.server.git(['update-ref', 'refs/heads/main', older]);
    expect((await host.agent()).code).toBe(20);
    await fleet.server.git(['update-ref', 'refs/heads/main', before[2]?.parents[1] ?? '']);
    const ran = await host.agent();
    expect(ran.code, ran.stderr).toBe(0);
    expect((await newest(host)).status.system?.generation).toBe(3);
    expectChain(await host.records(), ran.stderr);
    expectAtRest(host, ran.stderr);
  });

  test('makes what waited again', async () => {
    await fleet.server.git(['config', 'receive.maxInputSize', '1']);
    const { code, stderr } = await deploy('waiting');
    expect(code, stderr).not.toBe(0);
    expect(host.state('outbox')).toHaveLength(1);
    await fleet.server.git(['config', '--unset', 'receive.maxInputSize']);
    rmSync(journal());
    expect((await host.resume()).code).toBe(0);
    const ran = await host.agent();
    expect(ran.code, ran.stderr).toBe(0);
    expect((await events()).slice(0, 4)).toEqual(['enrolled', 'deployed', 'restored', 'deployed']);
    expect((await host.records())[3]?.subject).toMatch(/"waiting" as generation 2$/);
    expectChain(await host.records(), ran.stderr);
    expectAtRest(host, ran.stderr);
  });

  test.each([
    ['is hidden', () => fleet.server.git(['update-ref', '-d', branch]), /shows no such branch/],
    [
      'is somebody else’s',
      () => fleet.server.commit({ subject: 'Mine', ref: branch }),
      /the state commit is not good/,
    ],
    [
      'has a gap',
      async () => {
        const records = await host.records();
        const key = keyAt(host.path('var/lib/autark/key'));
        const place = { above: records[2]?.id ?? '', parent: records[0]?.id ?? '' };
        await fleet.server.git(['update-ref', branch, await regraft(fleet.server, key, place)]);
      },
      /its number is 0, and the record that follows it has 2/,
    ],
  ] as readonly (readonly [string, () => Promise<unknown>, RegExp])[])(
    'while its branch %s deploys nothing (10), and nothing is written',
    async (_name, spoil, said) => {
      expect((await deploy('two')).code).toBe(0);
      const tip = await newest(host);
      await spoil();
      rmSync(journal());
      const before = host.state('.');
      const { code, stderr } = await host.resume();
      expect(code, stderr).toBe(10);
      expect(stderr).toMatch(/neither a journal nor good state/);
      expect(stderr).toMatch(said);
      expect(host.state('.')).toEqual(before);
      expect((await deploy('three')).code).toBe(10);
      expect(host.motd()).toBe('two');

      await fleet.server.git(['update-ref', branch, tip.id]);
      expect((await host.resume()).code).toBe(0);
      expect((await host.agent()).code).toBe(0);
      expect(host.motd()).toBe('three');
    },
  );

  test('and whose key is not the pinned one is not that host (22)', async () => {
    loseAllButKeys(host);
    for (const name of ['key', 'key.pub']) rmSync(host.path('var/lib/autark', name));
    rmSync(host.path('etc/autark/agent.yaml'));
    const { world, introduction } = fleet;
    const there = ['--root', host.root, '--remote', world.remote, '--host', 'web1'];
    const call = ['enroll', '--resume', ...there, '--introduction', introduction];
    const { code, stderr } = await world.autark(call);
    expect(code, stderr).toBe(22);
    expect(host.state('.')).not.toContain('key');
  });
});
