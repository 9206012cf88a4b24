import type { KeptBackup } from '../../shared/disk/evidence.ts';
import { refusing, type Refusal } from '../../shared/disk/refusal.ts';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { timestamp } from '../../shared/record/draft.ts';
import { withExamined, withStarted } from '../../shared/record/ledger-runs.ts';
import type { StepRun } from '../../shared/record/step-run.ts';
import { carryOn } from '../carry-on.ts';
import type { Context } from '../context.ts';
import { lookAtDisks } from '../disks.ts';
import { describe, draftOf } from '../stages/record.ts';
import type { Looked } from './devices.ts';
import { destroys, keptBackups, type Ready } from './judge.ts';

/** The record that says that the step begins, with what it backs up; or nothing was done, for these reasons. */
export type Begun =
  | { readonly intent: ObjectId; readonly backups: readonly KeptBackup[] }
  | { readonly reasons: readonly Refusal[] };

/** Backups and intent, sealed in one ledger, and the record that carries both. */
export async function begin(context: Context, ready: Ready, looked: Looked): Promise<Result<Begun>> {
  const { memory, senses } = context;
  const { ledgers } = context.effects('step');
  const { step, verified, approval, known } = ready;
  const now = senses.clock.now();
  const disks = destroys(ready) ? await lookAtDisks(context, now) : ok(null);
  if (!disks.ok) return disks;
  const problems = disks.value?.problems ?? [];
  if (problems.length > 0) return ok({ reasons: problems.map(notBackedUp) });
  const before = disks.value?.before ?? known.ledger;
  const program = known.evidence.step?.program ?? null;
  const ledger = disks.value?.next.ledger ?? known.ledger;
  if (ledger === null || program === null) return fail(nothingKnown);
  const run: Omit<StepRun, 'outcome'> = {
    ...{ step: step.name, approval, program, revision: verified.revision, began: timestamp(now) },
  };
  const started = withStarted(withExamined(ledger, looked.examined), run);
  const kept = await ledgers.keep(started, disks.value?.next.seal ?? [], before);
  if (!kept.ok) return kept;
  const revision = await describe(context, verified.revision);
  const { running } = memory.journal;
  const happening = { event: 'step-started', revision, running, step: step.name } as const;
  const draft = await draftOf(context, happening, memory.journal);
  const noted = draft.ok ? await memory.write({ phase: { at: 'record', draft: draft.value } }) : draft;
  const carried = noted.ok ? await carryOn(context) : noted;
  if (!carried.ok) return carried;
  const { tip: intent } = memory.journal;
  return ok({ intent, backups: keptBackups(step.destroys, looked.observations, intent) });
}

const notBackedUp = (problem: string): Refusal =>
  refusing('S17')(
    problem,
    'install or mend what cannot be run, or look at the disk: nothing is destroyed without a backup',
  );

const nothingKnown: Failure = {
  kind: 'unexpected',
  cause: 'the ledger is gone since the step was judged',
  where: 'var/lib/autark/state',
  remedy: 'the agent takes it from its newest record, and judges the step again',
};
