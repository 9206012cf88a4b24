import { afterAll, expect, test } from 'vitest';
import { chooseSeed, seeded } from '../agent/adapters/scratch.ts';
import { makeDeployed } from '../rig/fleet.ts';
import { endAll } from '../rig/processes.ts';
import { stopEverywhere, takeSnapshot } from '../rig/stops.ts';

const fleet = await makeDeployed('autark-crash');
afterAll(async () => {
  endAll(fleet.world.dir);
  await fleet.world.remove();
});

const failing = { executable: '#!/bin/sh\necho half >"$out/half"\nexit 3\n' };

test('a failed build stopped at any effect leaves what runs alone, and nothing else behind', async () => {
  const { host } = fleet;
  const seed = chooseSeed();
  console.info(`AUTARK_SEED=${seed}`);
  const activations = host.activations();
  const revision = await fleet.server.commit({ files: { 'hosts/web1/build': failing }, subject: 'Break it' });
  const scenario = {
    ...{ fleet, host, revision, may: ['hello'] },
    ...{ code: 30, motd: 'hello', event: 'failed' },
    also: (because: string) => {
      expect(host.activations(), because).toEqual(activations);
    },
  };
  const snapshot = takeSnapshot(fleet.world, host);
  const step = 2;
  const first = 1 + Math.floor(seeded(seed)() * step);
  const before = await stopEverywhere(scenario, snapshot, 'before', { first, step });
  // Other ones, so that more of them are seen.
  const after = await stopEverywhere(scenario, snapshot, 'after', { first: 1 + (first % step), step });
  expect(before + after).toBeGreaterThan(20);
});
