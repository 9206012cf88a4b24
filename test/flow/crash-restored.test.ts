import { afterAll, expect, test } from 'vitest';
import { chooseSeed, seeded } from '../agent/adapters/scratch.ts';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed } from '../rig/fleet.ts';
import { keepState } from '../rig/lives.ts';
import { endAll } from '../rig/processes.ts';
import { stopEverywhere, takeSnapshot } from '../rig/stops.ts';

const fleet = await makeDeployed('autark-crash');
afterAll(async () => {
  endAll(fleet.world.dir);
  await fleet.world.remove();
});

test('a restored machine stopped anywhere goes on from the server once, and loses no record (S9, P6)', async () => {
  const seed = chooseSeed();
  console.info(`AUTARK_SEED=${seed}`);
  const { host, server, world } = fleet;
  const deploy = async (motd: string, env = {}) => {
    const revision = await server.commit({ files: execHost('web1', motd), subject: motd });
    return { revision, ran: await host.agent({ env }) };
  };
  const kept = keepState(host, 'kept');
  expect((await deploy('elsewhere')).ran.code).toBe(0);
  const branch = 'refs/heads/state/web1';
  const [, first, second] = await host.records();
  kept.restore();
  // A record that the server never takes: it shows what the restored machine knows, and accepts nothing.
  await server.git(['update-ref', branch, first?.id ?? '']);
  await server.git(['config', 'receive.maxInputSize', '1']);
  expect((await deploy('unheard')).ran.code).not.toBe(0);
  await server.git(['config', '--unset', 'receive.maxInputSize']);
  await server.git(['update-ref', branch, second?.id ?? '']);
  const revision = await server.commit({ files: execHost('web1', 'three'), subject: 'Say three' });
  const scenario = {
    ...{ fleet, host, revision, may: ['unheard', 'three'] },
    ...{ code: 0, motd: 'three', event: 'deployed' },
    also: async (because: string) => {
      const said = (await host.records()).map(({ status, subject }) => [status.outcome.event, subject]);
      expect(said.map(([event]) => event).slice(3), because).toEqual(['restored', 'deployed', 'deployed']);
      expect(said[4]?.[1], because).toContain('"unheard"');
    },
  };
  const snapshot = takeSnapshot(world, host);
  const step = 3;
  const start = 1 + Math.floor(seeded(seed)() * step);
  const before = await stopEverywhere(scenario, snapshot, 'before', { first: start, step });
  const after = await stopEverywhere(scenario, snapshot, 'after', { first: 1 + (start % step), step });
  expect(before + after).toBeGreaterThan(20);
});
