import { planOf, type HeldByHand } from '../shared/cycle/hold.ts';
import { ok, type Result } from '../shared/failure.ts';
import type { Aim } from '../shared/cycle/aim.ts';
import { carryOn } from './carry-on.ts';
import type { Context } from './context.ts';
import { conclude, failed, type Ended } from './ending.ts';
import { saidByHand } from './stages/by-hand.ts';
import { describe, draftOf } from './stages/record.ts';

/**
 * Says once that a hold by hand is over, when a record had said that it began. Nothing stands any more: the head is
 * looked at again, and what follows from it is recorded by itself. Needs no server.
 */
export async function sayResumed(context: Context): Promise<Result<void>> {
  const { byHand, memory } = context;
  const { heldByHand, standing } = memory.journal;
  // A host that has retired has made its last record.
  if (!heldByHand || byHand !== null || standing?.event === 'retired') return ok(undefined);
  const held = await memory.hold(context.signal);
  if (!held.ok) return held;
  const { journal } = memory;
  if (!journal.heldByHand) return ok(undefined);
  const change = { heldByHand: false, standing: null, trial: null };
  if (!journal.approved) return memory.write(change);
  const head = journal.standing?.head ?? journal.accepted;
  const draft = await draftOf(
    context,
    {
      ...{ event: 'resumed', running: journal.running },
      ...(head === null ? {} : { revision: await describe(context, head) }),
    },
    { ...journal, ...change },
  );
  if (!draft.ok) return draft;
  const noted = await memory.write({ ...change, phase: { at: 'record', draft: draft.value } });
  return noted.ok ? carryOn(context) : noted;
}

/**
 * Ends a cycle during whose build a person said on the machine to hold it; the phase `build` is undone as ever.
 * `undefined` when nobody did.
 */
export async function heldMeanwhile(context: Context, aim: Aim): Promise<Ended | undefined> {
  const byHand = await saidByHand(context, 'switch');
  if (byHand === null) return undefined;
  return endHeld(context, byHand, aim);
}

/**
 * The same once the switch is written and before anything of it is done. `hold` writes first and looks at the journal
 * then, and we the other way round: so either it sees the switch and waits for it, or we see the hold.
 */
export async function heldAtLast(context: Context, aim: Aim): Promise<Ended | undefined> {
  if (context.memory.journal.phase.at !== 'switch') return undefined;
  const byHand = await saidByHand(context, 'switch');
  if (byHand === null) return undefined;
  const undone = await context.memory.write({ phase: { at: 'idle' } });
  return undone.ok ? endHeld(context, byHand, aim) : failed(context, 'switch', undone.failure);
}

async function endHeld(context: Context, byHand: HeldByHand, aim: Aim): Promise<Ended> {
  await context.effects('switch').trees.remove();
  // About the head also when it was found out at a trial: it is the host that is held.
  const { standing } = context.memory.journal;
  const about = aim.isTrial && standing !== null ? { revision: standing.head, isTrial: false } : aim;
  return conclude(context, 'switch', byHand.failure, about, planOf(byHand));
}
