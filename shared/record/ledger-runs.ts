import type { ExaminedDevice, StepRun } from './step-run.ts';
import type { Ledger } from './ledger.ts';

/** The ledger once a step's intent is in it (S17). */
export function withStarted(ledger: Ledger, run: Omit<StepRun, 'outcome'>): Ledger {
  return { ...ledger, runs: [...(ledger.runs ?? []), { ...run, outcome: 'started' }] };
}

/** How a run ended. */
export type RunResult = Pick<StepRun, 'ended' | 'how' | 'output' | 'yields'> & {
  readonly outcome: 'done' | 'failed';
};

/**
 * The ledger once the newest run of a step has its result; the same ledger when that run has one already: it was kept before a
 * crash, and nothing is written over it.
 */
export function withEnded(
  ledger: Ledger,
  step: string,
  result: RunResult | { readonly outcome: 'withdrawn'; readonly ended: string },
): Ledger {
  const runs = ledger.runs ?? [];
  const at = runs.findLastIndex((run) => run.step === step && run.outcome === 'started');
  const run = runs[at];
  return run === undefined ? ledger : { ...ledger, runs: runs.with(at, { ...run, ...result }) };
}

/**
 * Its intent without a run: only the process that did not start the program may say so. It stays in the ledger, for the record
 * of the intent is there.
 */
export function withWithdrawn(ledger: Ledger, step: string, ended: string): Ledger {
  return withEnded(ledger, step, { outcome: 'withdrawn', ended });
}

/**
 * The ledger where there was another one that nobody can read any more: what it knows counts, and it covers no longer all that the
 * host ever did (S15).
 * @param begun the next record, and this installation
 */
export function begunAnew(ledger: Ledger, begun: Ledger['begun']): Ledger {
  return { ...ledger, begun };
}

/** A run whose program was started, or may have been. */
export type RealRun = StepRun & { readonly outcome: 'started' | 'done' | 'failed' };

/** The runs that count. */
export function realRuns({ runs = [] }: Pick<Ledger, 'runs'>): readonly RealRun[] {
  return runs.filter((run): run is RealRun => run.outcome !== 'withdrawn');
}

/** With disks as they were seen last; the time of a look that found nothing new stays that of the first one. */
export function withExamined(ledger: Ledger, seen: Readonly<Record<string, ExaminedDevice>>): Ledger {
  const before = ledger.examined ?? {};
  const examined = { ...before };
  for (const [path, device] of Object.entries(seen)) {
    const old = before[path];
    if (old === undefined || !isSame(old, device)) examined[path] = device;
  }
  return Object.keys(examined).length === 0 ? ledger : { ...ledger, examined };
}

/** What is written on a disk that somebody uses changes all the time; nobody can approve that one, and it is no news. */
function isSame(old: ExaminedDevice, now: ExaminedDevice): boolean {
  if ('failed' in old || 'failed' in now)
    return 'failed' in old && 'failed' in now && old.failed === now.failed;
  const isUsed = old.seen.disk.uses.length > 0 && now.seen.disk.uses.length > 0;
  const told = ({ samples, looks, ...lasting }: typeof old.seen) =>
    JSON.stringify(isUsed ? lasting : { ...lasting, samples, looks });
  return told(old.seen) === told(now.seen);
}

/** What two copies of a ledger are to be compared by. */
type Known = Pick<Ledger, 'begun' | 'runs'>;

/**
 * What two copies of one host's ledger know together. They cover no more than either: once nobody knew all that the host had done,
 * no older copy knows it.
 */
export function knownToBoth(recorded: Known, kept: Known): Known {
  const runs = mergedRuns(recorded.runs ?? [], kept.runs ?? []);
  const begun = kept.begun.seq > recorded.begun.seq ? kept.begun : recorded.begun;
  return { begun, ...(runs.length === 0 ? {} : { runs }) };
}

/**
 * What two copies of one host's ledger know of its runs, together: a copy that is taken over must not make this machine forget
 * what only its own knew. A result outweighs an intent.
 */
export function mergedRuns(taken: readonly StepRun[], kept: readonly StepRun[]): readonly StepRun[] {
  const nameOf = ({ step, began, approval }: StepRun): string => JSON.stringify([step, began, approval]);
  const own = new Map(kept.map((run) => [nameOf(run), run]));
  const both = taken.map((run) => {
    const mine = own.get(nameOf(run));
    own.delete(nameOf(run));
    return mine !== undefined && run.outcome === 'started' ? mine : run;
  });
  // No clock decides about the order: what only this machine knew came later.
  return [...both, ...own.values()];
}
