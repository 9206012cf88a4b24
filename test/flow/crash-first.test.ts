import { afterAll, expect, test } from 'vitest';
import { chooseSeed, seeded } from '../agent/adapters/scratch.ts';
import { execHost } from '../rig/exec-system.ts';
import { makeFleet } from '../rig/fleet.ts';
import { endAll } from '../rig/processes.ts';
import { stopEverywhere, takeSnapshot } from '../rig/stops.ts';

const fleet = await makeFleet('autark-crash');
afterAll(async () => {
  endAll(fleet.world.dir);
  await fleet.world.remove();
});

test('a first deployment stopped at any effect is finished, and the machine no longer waits for approval', async () => {
  const seed = chooseSeed();
  console.info(`AUTARK_SEED=${seed}`);
  const host = await fleet.join('web1');
  const revision = await fleet.server.commit({ files: execHost('web1', 'one'), subject: 'Say one' });
  const genesis = await fleet.server.git([
    'for-each-ref',
    '--format=%(objectname)',
    'refs/heads/enroll/web1',
  ]);
  expect(genesis).toMatch(/^[0-9a-f]{40}$/);
  const scenario = {
    ...{ fleet, host, revision, may: [null, 'one'] },
    ...{ code: 0, motd: 'one', event: 'deployed' },
    also: async (because: string) => {
      expect((await host.records())[0]?.id, because).toBe(genesis);
      expect(await fleet.server.git(['for-each-ref', 'refs/heads/enroll/']), because).toBe('');
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
