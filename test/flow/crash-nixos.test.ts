import { afterAll, beforeAll, expect, test } from 'vitest';
import { chooseSeed, seeded } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';
import { makeNixosFleet, nixosFiles, type NixosFleet } from '../rig/nix.ts';
import { endAll } from '../rig/processes.ts';
import { stopEverywhere, takeSnapshot, type Scenario } from '../rig/stops.ts';

describeWith(['nix'], 'a NixOS deployment stopped at any effect', () => {
  let fleet: NixosFleet;
  beforeAll(async () => {
    fleet = await makeNixosFleet('autark-crash');
    await fleet.server.commit({ files: nixosFiles({ web1: { motd: 'old' } }) });
    const { code, stderr } = await fleet.host.agent();
    expect(code, stderr).toBe(0);
  });
  afterAll(async () => {
    endAll(fleet.world.dir);
    await fleet.world.remove();
  });

  const stop = async (scenario: Omit<Scenario, 'fleet' | 'host' | 'env'>, step: number): Promise<number> => {
    const seed = chooseSeed();
    console.info(`AUTARK_SEED=${seed}`);
    const { host, world } = fleet;
    const whole = { ...scenario, fleet, host, env: host.store.env };
    const snapshot = takeSnapshot(world, host);
    const first = 1 + Math.floor(seeded(seed)() * step);
    const before = await stopEverywhere(whole, snapshot, 'before', { first, step });
    // Other ones, so that more of them are seen.
    return before + (await stopEverywhere(whole, snapshot, 'after', { first: 1 + (first % step), step }));
  };

  test('is finished, and what runs is what the profile names', async () => {
    const { host, server } = fleet;
    const revision = await server.commit({ files: nixosFiles({ web1: { motd: 'new' } }) });
    const stops = await stop(
      {
        ...{ revision, may: ['old', 'new'], code: 0, motd: 'new', event: 'deployed' },
        also: (because) => {
          expect(host.profile(), because).toBe(host.current());
        },
      },
      6,
    );
    expect(stops).toBeGreaterThan(10);
  });

  test('or is gone back from, and so is the profile', async () => {
    const { host, server } = fleet;
    const profile = host.profile();
    const files = nixosFiles({ web1: { motd: 'broken', activation: 'exit 1' } });
    const revision = await server.commit({ files });
    const stops = await stop(
      {
        // Cut off before it went back, `current` and the profile still name the broken one.
        ...{ revision, may: ['new', 'broken'], code: 40, motd: 'new', event: 'rolled-back' },
        also: (because) => {
          expect([host.profile(), host.current()], because).toEqual([profile, profile]);
        },
      },
      8,
    );
    expect(stops).toBeGreaterThan(8);
  });
});
