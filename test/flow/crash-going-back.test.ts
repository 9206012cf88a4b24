import { afterAll, expect, test } from 'vitest';
import { chooseSeed, seeded } from '../agent/adapters/scratch.ts';
import { buildScript, execHost } from '../rig/exec-system.ts';
import { makeDeployed } from '../rig/fleet.ts';
import { endAll } from '../rig/processes.ts';
import { stopEverywhere, takeSnapshot } from '../rig/stops.ts';

const fleet = await makeDeployed('autark-crash');
afterAll(async () => {
  endAll(fleet.world.dir);
  await fleet.world.remove();
});

/** Shows its motd, and then finds that it cannot stay. */
const failing = {
  executable: buildScript.replace('\nEND\n', () => '\ntest "$(cat "$system/etc/motd")" != two\nEND\n'),
};

test('a failed activation stopped at any effect is undone by the next cycle, and recorded once', async () => {
  const { host } = fleet;
  const seed = chooseSeed();
  console.info(`AUTARK_SEED=${seed}`);
  const revision = await fleet.server.commit({
    files: { ...execHost('web1', 'two'), 'hosts/web1/build': failing },
    subject: 'Say two, badly',
  });
  const scenario = {
    ...{ fleet, host, revision, may: ['hello', 'two'] },
    ...{ code: 40, motd: 'hello', event: 'rolled-back' },
    also: (because: string) => {
      const { failed } = JSON.parse(host.journal()) as { failed: unknown };
      expect(failed, because).toMatchObject({ revision, attempts: 1, code: 40 });
    },
  };
  const snapshot = takeSnapshot(fleet.world, host);
  const step = 2;
  const first = 1 + Math.floor(seeded(seed)() * step);
  const before = await stopEverywhere(scenario, snapshot, 'before', { first, step });
  // Other ones, so that more of them are seen.
  const after = await stopEverywhere(scenario, snapshot, 'after', { first: 1 + (first % step), step });
  expect(before + after).toBeGreaterThan(30);
});
