import { expect, test } from 'vitest';
import { chooseSeed, seeded } from '../agent/adapters/scratch.ts';
import { approvedDiskStep } from '../rig/disk-step.ts';
import { tool } from '../rig/fake-disk.ts';
import { describeWith } from '../rig/needs.ts';
import { allGone, endAll } from '../rig/processes.ts';
import { expectAtRest, expectChain } from '../rig/sound.ts';
import { ledgerOf, stepsRun } from '../rig/steps.ts';
import { stopAt, takeSnapshot } from '../rig/stops.ts';

describeWith(['age', 'disks'], 'a step that destroys', () => {
  test('stopped at any change, destroys once at most and only what its ledger knows of', async () => {
    const { fleet, host, disk, env, label } = await approvedDiskStep('autark-crash-destroys');
    const { world } = fleet;
    try {
      const image = `${world.dir}/disk`;
      const copy = ['bs=1M', 'status=none', 'conv=fsync'];
      await tool('dd', `if=${disk}`, `of=${image}`, ...copy);
      const snapshot = takeSnapshot(world, host);
      const seed = chooseSeed();
      console.info(`AUTARK_SEED=${seed}`);
      const step = 6;
      const first = 1 + Math.floor(seeded(seed)() * step);
      const seen = new Set<string>();
      for (const when of ['before', 'after'] as const) {
        for (let at = when === 'before' ? first : 1 + (first % step); ; at += step) {
          snapshot.restore();
          await tool('dd', `if=${image}`, `of=${disk}`, ...copy);
          const stopped = await stopAt(host, ['agent'], { when, at }, { ...world.env, ...env });
          await allGone(host.root);
          const mended = await host.agent({ env });
          const told = `stopped ${when} effect ${at}\n${stopped.stdout}${stopped.stderr}\n--- then:\n${mended.stderr}`;
          expectAtRest(host, told);
          expectChain(await host.records(), told);
          const [ran, runs = []] = [stepsRun(host), (await ledgerOf(fleet, host)).runs];
          const outcomes = runs.map(({ outcome }) => outcome).join();
          expect(await label(), told).toBe(ran.length === 0 ? 'precious' : 'wiped');
          expect(ran.length, told).toBeLessThanOrEqual(1);
          // Cut off between intent and result it is interrupted; what never began may run in the next cycle.
          expect([mended.code, outcomes], told).toEqual(
            outcomes === 'started' ? [60, 'started'] : [0, 'done'],
          );
          if (outcomes === 'done') expect(ran, told).toEqual(['format']);
          seen.add(outcomes);
          if (stopped.code !== null) break;
        }
      }
      expect([...seen].sort()).toEqual(['done', 'started']);
    } finally {
      endAll(world.dir);
      await world.remove();
    }
  });
});
