import { existsSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { chooseSeed, seeded } from '../agent/adapters/scratch.ts';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed } from '../rig/fleet.ts';
import { allGone, endAll } from '../rig/processes.ts';
import { currentGeneration, expectAtRest, expectChain } from '../rig/sound.ts';
import { stopAt, takeSnapshot, type Stop } from '../rig/stops.ts';

const fleet = await makeDeployed('autark-crash');
const { host, server, world } = fleet;
const stop = (at: number, when: Stop['when']) => stopAt(host, ['rollback'], { at, when }, world.env);
afterAll(async () => {
  endAll(world.dir);
  await world.remove();
});

/** Two generations, and what the host was like then. */
const prepared = (async () => {
  await server.commit({ files: execHost('web1', 'two'), subject: 'Say two' });
  expect((await host.agent()).code).toBe(0);
  return { records: (await host.records()).length, snapshot: takeSnapshot(world, host) };
})();

/**
 * Once the hold is there the machine never goes forward by itself: the next agent finds it where it was, or finishes
 * what was begun, and is held either way.
 */
async function stopAndMend(when: Stop['when'], at: number, records: number): Promise<boolean> {
  const stopped = await stop(at, when);
  const effects = stopped.stdout.trimEnd().split('\n');
  const because = `stopped ${when} effect ${at}, ${effects.at(-1) ?? ''}\n${stopped.stderr}`;
  const isCutOff = stopped.code === null;
  expect(isCutOff, because).toBe(effects.length >= at);
  if (!isCutOff) expect(stopped.code, because).toBe(0);
  expect(['hello', 'two'], because).toContain(host.motd());
  const isHeld = existsSync(host.path('var/lib/autark/hold.json'));
  const { phase } = JSON.parse(host.journal()) as { phase: { at: string; left?: string } };
  // The order that counts: nothing is begun that no hold stands for.
  if (phase.at !== 'idle') expect(isHeld, because).toBe(true);
  const isBegun = phase.at !== 'idle' || host.motd() === 'hello';

  const mended = await host.agent();
  const told = `${because}\n--- then:\n${mended.stderr}`;
  expect(mended.code, told).toBe(isHeld ? 10 : 0);
  expect(host.motd(), told).toBe(isBegun ? 'hello' : 'two');
  expect(currentGeneration(host).motd, told).toBe(host.motd());
  expectAtRest(host, told);
  const all = await host.records();
  expectChain(all, told);
  const said = all.slice(records).map(({ status }) => status.outcome.event);
  expect(said, told).toEqual(isBegun ? ['rolled-back'] : isHeld ? ['held'] : []);
  expect((await host.agent()).code, told).toBe(isHeld ? 10 : 0);
  expect(await host.records(), told).toEqual(all);
  await allGone(host.root);
  return isCutOff;
}

test('a going back by hand stopped at any effect is finished or never begun, and recorded once', async () => {
  const seed = chooseSeed();
  console.info(`AUTARK_SEED=${seed}`);
  const { snapshot, records } = await prepared;
  const step = 2;
  const first = 1 + Math.floor(seeded(seed)() * step);
  let stops = 0;
  for (const [when, from] of [
    ['before', first],
    ['after', 1 + (first % step)],
  ] as const) {
    for (let at = from; ; at += step) {
      snapshot.restore();
      if (!(await stopAndMend(when, at, records))) break;
      stops += 1;
    }
  }
  expect(stops).toBeGreaterThan(10);
});

test('the next call finishes what one before it had begun, and goes back no further', async () => {
  const { snapshot } = await prepared;
  snapshot.restore();
  const whole = await stop(999, 'before');
  expect(whole.code, whole.stderr).toBe(0);
  const effects = whole.stdout.trimEnd().split('\n');
  snapshot.restore();
  const at = 1 + effects.indexOf('switch activations.run');
  expect(at).toBeGreaterThan(1);
  const cut = await stop(at, 'before');
  expect(cut.code).toBeNull();
  const { code, stdout, stderr } = await host.autark(['rollback']);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^generation 1: [0-9a-f]{7}\n$/);
  expect(stderr).toMatch(/cut off here: it is finished now, and nothing else was gone back/);
  expect(host.motd()).toBe('hello');
  expect((await host.agent()).code).toBe(10);
});
