import { afterAll, expect, test } from 'vitest';
import { chooseSeed, seeded } from '../agent/adapters/scratch.ts';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed } from '../rig/fleet.ts';
import { currentLink, relink } from '../rig/links.ts';
import { endAll } from '../rig/processes.ts';
import { stopEverywhere, takeSnapshot } from '../rig/stops.ts';

const fleet = await makeDeployed('autark-crash');
const { host, server, world } = fleet;
afterAll(async () => {
  endAll(world.dir);
  await world.remove();
});

test('a drifted host stopped at any effect says so once, and then deploys once', async () => {
  await server.commit({ files: execHost('web1', 'two') });
  expect((await host.agent()).code).toBe(0);
  const records = (await host.records()).length;
  relink(host, currentLink, 'generations/1');
  const revision = await server.commit({ files: execHost('web1', 'three'), subject: 'Say three' });
  const snapshot = takeSnapshot(world, host);
  const scenario = {
    ...{ fleet, host, revision, code: 0, motd: 'three', event: 'deployed' },
    // What `current` names by hand, what runs, and what comes.
    may: ['hello', 'two', 'three'],
    also: async (because: string) => {
      const said = (await host.records()).slice(records).map(({ status }) => status.outcome.event);
      expect(said, because).toEqual(['drifted', 'deployed']);
    },
  };
  const seed = chooseSeed();
  console.info(`AUTARK_SEED=${seed}`);
  const step = 4;
  const first = 1 + Math.floor(seeded(seed)() * step);
  const before = await stopEverywhere(scenario, snapshot, 'before', { first, step });
  const after = await stopEverywhere(scenario, snapshot, 'after', { first: 1 + (first % step), step });
  expect(before + after).toBeGreaterThan(6);
});
