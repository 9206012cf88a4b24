import { afterAll, expect, test } from 'vitest';
import { chooseSeed, seeded } from '../agent/adapters/scratch.ts';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed } from '../rig/fleet.ts';
import { endAll } from '../rig/processes.ts';
import { stopEverywhere, takeSnapshot, type Scenario } from '../rig/stops.ts';

const fleet = await makeDeployed('autark-crash');
const { host, server, world } = fleet;
afterAll(async () => {
  endAll(world.dir);
  await world.remove();
});

const stop = async (scenario: Omit<Scenario, 'fleet' | 'host'>, step: number): Promise<number> => {
  const seed = chooseSeed();
  console.info(`AUTARK_SEED=${seed}`);
  const snapshot = takeSnapshot(world, host);
  const first = 1 + Math.floor(seeded(seed)() * step);
  const whole = { ...scenario, fleet, host };
  const before = await stopEverywhere(whole, snapshot, 'before', { first, step });
  // Other ones, so that more of them are seen.
  return before + (await stopEverywhere(whole, snapshot, 'after', { first: 1 + (first % step), step }));
};

test('a held host stopped at any effect activates nothing and says once that it is held', async () => {
  const revision = await server.commit({ files: execHost('web1', 'two'), subject: 'Say two' });
  expect((await host.autark(['hold', '--reason', 'wait'])).code).toBe(0);
  const stops = await stop({ ...{ revision, may: ['hello'], code: 10, motd: 'hello', event: 'held' } }, 3);
  expect(stops).toBeGreaterThan(3);
});

test('one that is resumed says so once, and then deploys once', async () => {
  expect((await host.agent()).code).toBe(10);
  const records = (await host.records()).length;
  const revision = await server.commit({ files: execHost('web1', 'three'), subject: 'Say three' });
  expect((await host.autark(['resume'])).code).toBe(0);
  const stops = await stop(
    {
      ...{ revision, may: ['hello', 'three'], code: 0, motd: 'three', event: 'deployed' },
      also: async (because) => {
        const said = (await host.records()).slice(records).map(({ status }) => status.outcome.event);
        expect(said, because).toEqual(['resumed', 'deployed']);
      },
    },
    14,
  );
  expect(stops).toBeGreaterThan(3);
});
