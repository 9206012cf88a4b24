import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { chooseSeed, seeded } from '../agent/adapters/scratch.ts';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed } from '../rig/fleet.ts';
import { allGone, endAll } from '../rig/processes.ts';
import { pin, publicKeyAt, type Pin } from '../rig/replacing.ts';
import { expectAtRest, expectChain } from '../rig/sound.ts';
import { stopAt, takeSnapshot, type Stop } from '../rig/stops.ts';

const fleet = await makeDeployed('autark-crash-new-key');
const { host, server, world } = fleet;
const file = host.path('etc/autark/new_key');
afterAll(async () => {
  endAll(world.dir);
  await world.remove();
});

interface Kept {
  readonly installation: string;
  readonly successor: (Pin & { readonly isOffered: boolean }) | null;
}
const journal = (): Kept => JSON.parse(host.journal()) as Kept;

/** `enroll --new-key`, cut off at an effect; false when it came to its end. */
async function offerCutOff(stop: Stop): Promise<boolean> {
  const { code, stderr } = await stopAt(host, ['new-key', file], stop, world.env);
  expect([null, 0], stderr).toContain(code);
  return code === null;
}

test('an offer of a new key that is cut off anywhere is made once when it is made again', async () => {
  const snapshot = takeSnapshot(world, host);
  let stops = 0;
  for (const when of ['before', 'after'] as const) {
    for (let at = 1; ; at += 1) {
      snapshot.restore();
      const isCutOff = await offerCutOff({ when, at });
      const because = `cut off ${when} effect ${at}`;
      const { code, stderr } = await world.autark(['enroll', '--new-key', file, '--root', host.root]);
      expect(code, `${because}\n${stderr}`).toBe(0);
      const { successor } = journal();
      expect(successor, because).toMatchObject({ key: publicKeyAt(file), isOffered: true });
      const waiting = await server.git(['for-each-ref', '--format=%(objectname)', 'refs/heads/enroll/web1']);
      expect(waiting, because).toBe(successor?.genesis);
      expect(host.state('outbox'), because).toEqual([`00000000-${waiting}.pack`]);
      if (!isCutOff) break;
      stops += 1;
    }
  }
  snapshot.restore();
  expect(stops).toBeGreaterThan(8);
});

test('the taking of a new key that is stopped anywhere is finished, once, and no record is lost', async () => {
  const seed = chooseSeed();
  console.info(`AUTARK_SEED=${seed}`);
  const offered = await world.autark(['enroll', '--new-key', file, '--root', host.root]);
  expect(offered.code, offered.stderr).toBe(0);
  // What waits under the old key becomes the last of its records.
  await server.git(['config', 'receive.maxInputSize', '1']);
  await server.commit({ files: execHost('web1', 'last'), subject: 'Say last' });
  expect((await host.agent()).code).not.toBe(0);
  await server.git(['config', '--unset', 'receive.maxInputSize']);
  const { successor, installation } = journal();
  if (successor === null) throw new Error('no key was offered');
  const old = await host.records();
  const revision = await pin(fleet, 'web1', successor, execHost('web1', 'new'));
  const snapshot = takeSnapshot(world, host);

  const stopAndMend = async ({ when, at }: Stop): Promise<boolean> => {
    snapshot.restore();
    const stopped = await stopAt(host, ['agent'], { when, at }, world.env);
    const effects = stopped.stdout.trimEnd().split('\n');
    const because = `stopped ${when} effect ${at}, ${effects.at(-1) ?? ''}\n${stopped.stderr}`;
    const mended = await host.agent();
    const told = `${because}\n--- then:\n${mended.stderr}`;
    expect(mended.code, told).toBe(0);
    expect(host.motd(), told).toBe('new');
    const records = await host.records();
    expectChain(records, told);
    expectAtRest(host, told);
    expect(
      records.map(({ status }) => status.outcome.event),
      told,
    ).toEqual(['enrolled', 'deployed']);
    const [genesis, first] = records;
    expect(genesis?.id, told).toBe(successor.genesis);
    const [, tip = ''] = first?.parents ?? [];
    expect(first?.parents, told).toEqual([successor.genesis, tip, revision]);
    expect(first?.status, told).toMatchObject({ installation });
    expect(first?.status.reports, told).toBeUndefined();
    // The old section: what the server had, and what waited.
    const below = await server.git(['log', '--first-parent', '--format=%H %s', tip]);
    expect(
      below
        .split('\n')
        .map((line) => line.slice(0, 40))
        .slice(1)
        .reverse(),
      told,
    ).toEqual(old.map(({ id }) => id));
    expect(below.split('\n')[0], told).toMatch(/"Say last"/);
    expect(readFileSync(join(host.root, 'etc/autark/agent.yaml'), 'utf8'), told).toContain(`key: ${file}\n`);
    expect(journal().successor, told).toBeNull();
    expect(await server.git(['for-each-ref', 'refs/heads/enroll/']), told).toBe('');
    await allGone(host.root);
    return stopped.code === null;
  };
  const step = 4;
  const start = 1 + Math.floor(seeded(seed)() * step);
  let stops = 0;
  for (let at = start; await stopAndMend({ when: 'before', at }); at += step) stops += 1;
  for (let at = 1 + (start % step); await stopAndMend({ when: 'after', at }); at += step) stops += 1;
  expect(stops).toBeGreaterThan(20);
  const verified = await world.autark(['verify']);
  expect(verified.code, verified.stdout).toBe(0);
}, 900_000);
