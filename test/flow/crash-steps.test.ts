import { existsSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { chooseSeed, seeded } from '../agent/adapters/scratch.ts';
import { execHost } from '../rig/exec-system.ts';
import { makeFleet, newest } from '../rig/fleet.ts';
import { allGone, endAll } from '../rig/processes.ts';
import { expectAtRest, expectChain } from '../rig/sound.ts';
import { ledgerOf, stepProgram, stepsRun } from '../rig/steps.ts';
import { stopAt, takeSnapshot, type Stop } from '../rig/stops.ts';

const fleet = await makeFleet('autark-crash-steps');
const { server, world } = fleet;
const host = await fleet.join('web1');
afterAll(async () => {
  endAll(world.dir);
  await world.remove();
});

/**
 * Stops the cycle there, and lets the next one look. Whether the step's program ran is known by its own word; whatever the
 * ledger says must agree with it: done only if it ran, never begun again once it may have (S17, S18).
 */
async function stopAndLook({ when, at }: Stop): Promise<boolean> {
  const stopped = await stopAt(host, ['agent'], { when, at }, world.env);
  const because = `stopped ${when} effect ${at}, ${stopped.stdout.trimEnd().split('\n').at(-1) ?? ''}\n${stopped.stderr}`;
  await allGone(host.root);
  const mended = await host.agent();
  const told = `${because}\n--- then:\n${mended.stderr}`;
  expectAtRest(host, told);
  expectChain(await host.records(), told);
  const { runs = [] } = await ledgerOf(fleet, host);
  expect(stepsRun(host).length, told).toBeLessThanOrEqual(1);
  expect(runs.length, told).toBe(1);
  if (mended.code === 0) {
    expect([stepsRun(host), host.motd()], told).toEqual([['prepare'], 'hello']);
    expect(runs, told).toMatchObject([{ outcome: 'done', yields: { token: 'eAo=' } }]);
  } else {
    // It was cut off between its intent and its result: held, and not tried again.
    expect(mended.code, told).toBe(60);
    expect(runs, told).toMatchObject([{ outcome: 'started' }]);
    expect(host.motd(), told).toBeNull();
    // The intent was kept and not yet recorded: what the ledger says beyond the record may be of another life.
    const said = (await newest(host)).status.outcome.message;
    expect(said, told).toMatch(/it was interrupted|the ledger is of the record not known/);
  }
  expect(existsSync(host.path('run/autark/steps/step-1')), told).toBe(false);
  return stopped.code === null;
}

test('a host stopped at any change runs a step once at most, and says what became of it', async () => {
  const yaml = fleet.fleetYaml('web1', ['steps: [{ name: prepare, run: steps/prepare }]']);
  const prepare = stepProgram('echo x >"$AUTARK_YIELD/token"');
  await server.commit({
    files: { ...execHost('web1', 'hello'), 'fleet.yaml': yaml, 'steps/prepare': prepare },
  });
  const snapshot = takeSnapshot(world, host);
  const seed = chooseSeed();
  console.info(`AUTARK_SEED=${seed}`);
  const step = 5;
  const first = 1 + Math.floor(seeded(seed)() * step);
  let stops = 0;
  for (const when of ['before', 'after'] as const) {
    for (let at = when === 'before' ? first : 1 + (first % step); ; at += step) {
      snapshot.restore();
      if (!(await stopAndLook({ when, at }))) break;
      stops += 1;
    }
  }
  expect(stops).toBeGreaterThan(8);
});
