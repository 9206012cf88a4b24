import { basisOf } from '../../shared/cycle/basis.ts';
import { heldByHand, type HeldByHand } from '../../shared/cycle/hold.ts';
import type { Journal, Running } from '../../shared/cycle/journal.ts';
import type { Phase } from '../../shared/cycle/phase.ts';
import { longestReason } from '../../shared/cycle/parse-hold.ts';
import { standingOf } from '../../shared/cycle/standing.ts';
import { ok, type Failure, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { oneLine } from '../../shared/printable.ts';
import type { Happening } from '../../shared/record/draft.ts';
import type { Context } from '../context.ts';
import { describe, draftOf } from './record.ts';

/** What a person says on the machine right now: it may be newer than what the cycle began with. */
export async function saidByHand(context: Context, stage: 'switch' | 'confirm'): Promise<HeldByHand | null> {
  const { holds } = context.effects(stage);
  return heldByHand(await holds.load(), context.senses.clock.now());
}

/**
 * Ends a going back by hand that succeeded: one write says what runs, that the host is held, and what is to be
 * recorded of it. Where the person has ended the hold meanwhile, nothing stands, and the agent looks at the head again.
 */
export async function settleBack(
  context: Context,
  { from, left }: { readonly from: number | null; readonly left: ObjectId },
  running: Running | null,
  change: Partial<Journal>,
): Promise<Result<void>> {
  const { memory, senses, settings, version } = context;
  const { journal } = memory;
  const byHand = await saidByHand(context, 'confirm');
  const head = journal.standing?.head ?? journal.accepted ?? left;
  const failure = byHand?.failure ?? released(from, running);
  const under = basisOf({ settings, key: senses.signer.key, version, byHand });
  const standing =
    byHand === null ? null : standingOf({ event: 'held', failure }, { head, under, until: byHand.until });
  const happening: Happening = {
    ...{ event: 'rolled-back', failure, stage: 'switch', running, head },
    revision: await describe(context, left),
  };
  const changed = { ...change, running, standing, trial: null };
  if (!journal.approved) return memory.write({ ...changed, phase: { at: 'idle' } });
  const draft = await draftOf(context, happening, { ...journal, ...changed });
  if (!draft.ok) return draft;
  return memory.write({ ...changed, heldByHand: true, phase: { at: 'record', draft: draft.value } });
}

/** Says in `hold.json` that the host was not gone back from after all, so that no hold gives a false reason. */
export async function retell(
  context: Context,
  { left }: Pick<Extract<Phase, { at: 'rollback' }>, 'left'>,
  { cause }: Failure,
): Promise<Result<void>> {
  if (left === undefined) return ok(undefined);
  const { holds } = context.effects('rollback');
  const read = await holds.load();
  // A person may have ended the hold meanwhile, or put another one in its place.
  if (!read.ok || read.value?.by !== 'rollback') return ok(undefined);
  const reason = oneLine(`could not be rolled back by hand: ${cause}`).slice(0, longestReason).trimEnd();
  return holds.save({ ...read.value, reason });
}

function released(from: number | null, running: Running | null): Failure {
  return {
    kind: 'held',
    cause: `rolled back by hand from generation ${from ?? 0} to ${running?.generation ?? 0}, and resumed meanwhile`,
    remedy: 'nothing: the agent goes on by itself',
  };
}
