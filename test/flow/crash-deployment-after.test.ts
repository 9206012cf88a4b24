import { afterAll, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed } from '../rig/fleet.ts';
import { endAll } from '../rig/processes.ts';
import { stopEverywhere, takeSnapshot } from '../rig/stops.ts';

const fleet = await makeDeployed('autark-crash');
afterAll(async () => {
  endAll(fleet.world.dir);
  await fleet.world.remove();
});

test('a deployment stopped after any effect is finished by the next cycle', async () => {
  const { host } = fleet;
  const revision = await fleet.server.commit({ files: execHost('web1', 'two'), subject: 'Say two' });
  const scenario = {
    fleet,
    host,
    revision,
    may: ['hello', 'two'],
    code: 0,
    motd: 'two',
    event: 'deployed',
  };
  const snapshot = takeSnapshot(fleet.world, host);
  // Fetching, building, switching, recording, pushing: far more than a handful.
  expect(await stopEverywhere(scenario, snapshot, 'after')).toBeGreaterThan(25);
});
