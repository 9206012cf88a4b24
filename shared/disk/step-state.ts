import { approvalRefusals, approveAnew, placeOf } from './approval-rules.ts';
import type { StepEvidence } from './evidence.ts';
import { coversAll, ledgerRefusals, newestOutcome, runsOf, standingRefusals } from './ledger-rules.ts';
import { refusing, type Refusal } from './refusal.ts';

/** How it stands with one step on this machine. */
export type StepState =
  /** The revision has no such step; what the ledger says of it stays there. */
  | { readonly is: 'not-declared' }
  | { readonly is: 'done'; readonly note?: string }
  /** It may run; if it destroys, only once `mayDestroy` says so too. `null` when it needs no approval. */
  | { readonly is: 'ready'; readonly approval: string | null }
  /** `held`: it could run, but this host does nothing just now. `unknown`: it may have run before. */
  | {
      readonly is: 'held' | 'unknown' | 'interrupted' | 'failed' | 'needs-approval';
      readonly reasons: readonly Refusal[];
    };

/**
 * Decides it from what is known. A step that is done stays done. Without an approval runs only what destroys nothing, has
 * never begun, and only where the ledger covers all that the host ever did (S15).
 */
export function stepState(evidence: StepEvidence): StepState {
  const { step, standing, approval } = evidence;
  if (step === null) return { is: 'not-declared' };
  if (step.isInherited) return { is: 'done', note: 'a machine before this one has done it' };
  const unbelievable = ledgerRefusals(evidence);
  if (unbelievable.length > 0) return { is: 'unknown', reasons: unbelievable };
  const outcome = newestOutcome(runsOf(evidence));
  if (outcome === 'done') return done(evidence);
  const held = standingRefusals(evidence);
  if (held.length > 0) {
    const isHeld = standing !== null && standing !== 'clear' && standing.is === 'held';
    return { is: isHeld ? 'held' : 'unknown', reasons: held };
  }
  const refused = approvalRefusals(evidence);
  if (approval !== null && refused.length === 0) return { is: 'ready', approval: approval.id };
  const past = pastRefusals(evidence);
  if (outcome === 'started') return { is: 'interrupted', reasons: [...past, ...refused] };
  if (outcome === 'failed') return { is: 'failed', reasons: [...past, ...refused] };
  if (!coversAll(evidence)) return { is: 'unknown', reasons: [...past, ...refused] };
  if (step.destroys.length > 0) return { is: 'needs-approval', reasons: refused };
  return { is: 'ready', approval: null };
}

/**
 * What the ledger has against a run of this step. An approval that was not used yet is later than any run that the ledger
 * knows, and outweighs all of it but one: what is done is not done again.
 */
export function pastRefusals(evidence: StepEvidence): readonly Refusal[] {
  const { step, host } = evidence;
  if (step === null) return [];
  const where = placeOf(host, step);
  const say = refusing('S15', where);
  const outcome = newestOutcome(runsOf(evidence));
  if (step.isInherited || outcome === 'done') {
    const rename = 'leave it; to do it again, declare it under another name';
    return [say('this step is done, and is not done a second time', rename)];
  }
  if (approvalRefusals(evidence).length === 0) return [];
  const anew = approveAnew(host, step);
  if (outcome === 'started') {
    const cause = 'this step began and nobody knows how far it came: it was interrupted';
    return [refusing('S18', where)(cause, anew)];
  }
  if (outcome === 'failed') return [say('this step ran and failed', anew)];
  if (coversAll(evidence)) return [];
  const cause = 'this step may have run before this ledger or this installation began';
  return [say(cause, anew)];
}

function done({ step, ...others }: StepEvidence): StepState {
  const last = runsOf({ step, ...others }).findLast(({ outcome }) => outcome === 'done');
  if (step?.program === last?.program) return { is: 'done' };
  return {
    is: 'done',
    note: 'its program is another one now; it does not run again: declare a step of another name for what is new',
  };
}
