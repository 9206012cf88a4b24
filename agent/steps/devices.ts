import type { Observation } from '../../shared/disk/evidence.ts';
import type { Examination } from '../../shared/disk/examination.ts';
import type { Result } from '../../shared/failure.ts';
import { timestamp } from '../../shared/record/draft.ts';
import type { ExaminedDevice } from '../../shared/record/step-run.ts';
import { withExamined } from '../../shared/record/ledger-runs.ts';
import type { Context } from '../context.ts';
import { knownLedger } from '../stages/known-ledger.ts';

/** Milliseconds awake that a look at one disk may take; more than the guard lets pass since it began. */
const timeout = 120_000;

/** What a close look at the disks of a step found, each by its path. */
export interface Looked {
  readonly observations: readonly Observation[];
  /** The same for the ledger, where a person sees it who has to approve. */
  readonly examined: Readonly<Record<string, ExaminedDevice>>;
}

/** Looks at each of the disks, one after the other. */
export async function lookClosely(context: Context, paths: readonly string[]): Promise<Looked> {
  const { effects, senses, signal } = context;
  const observations: Observation[] = [];
  const examined: Record<string, ExaminedDevice> = {};
  const at = timestamp(senses.clock.now());
  for (const path of paths) {
    const begun = senses.clock.awake();
    const seen = await effects('step').disks.examine(path, { timeout, signal });
    observations.push(observationOf(path, seen, begun));
    if (seen.ok) {
      const { device: _, ...lasting } = seen.value;
      examined[path] = { at, seen: lasting };
    } else {
      examined[path] = { at, failed: seen.failure.cause };
    }
  }
  return { observations, examined };
}

function observationOf(path: string, seen: Result<Examination>, at: number): Observation {
  if (!seen.ok) return { path, failed: seen.failure.cause };
  const { disk, device, layout, samples, isExclusive, looks, found } = seen.value;
  const { serial, size, uses } = disk;
  return { path, device, serial, size, layout, samples, uses, isExclusive, looks, found, at };
}

/** Whether the ledger says something else of the disks from now on. */
export async function keepExamined(context: Context, { examined }: Looked): Promise<boolean> {
  const known = await knownLedger(context);
  if (!known.ok || known.value === null) return false;
  const next = withExamined(known.value, examined);
  if (JSON.stringify(next.examined) === JSON.stringify(known.value.examined)) return false;
  return (await context.effects('step').ledgers.keep(next, [], known.value)).ok;
}
