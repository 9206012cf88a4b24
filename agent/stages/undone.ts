import { stuck } from '../../shared/cycle/confirm.ts';
import { uncertain } from '../../shared/cycle/guard.ts';
import type { Result } from '../../shared/failure.ts';
import type { Context } from '../context.ts';
import { retell } from './by-hand.ts';
import { settle } from './record.ts';
import type { GoingBack } from './switch.ts';

function aimOf({ attempted, mode }: GoingBack) {
  return { revision: attempted, isTrial: mode === 'test' };
}

/** Ends a switch that was undone: what ran before runs again (40). */
export async function settleUndone(context: Context, phase: GoingBack): Promise<Result<void>> {
  const { running, host } = context.memory.journal;
  const { failure, attempted } = phase;
  const told = await retell(context, phase, failure);
  if (!told.ok) return told;
  context.senses.log({ kind: 'failure', host, stage: 'switch', failure, revision: attempted });
  return settle(context, aimOf(phase), { event: 'rolled-back', failure, stage: 'switch', running });
}

/**
 * Ends one that could not be undone either (41): what runs may be half of each.
 * @param cause why there was no way back
 * @param tail the end of what going back printed
 */
export async function giveUp(
  context: Context,
  phase: GoingBack,
  cause: string,
  tail = '',
): Promise<Result<void>> {
  const failure = { ...stuck(phase.failure, cause), ...(tail === '' ? {} : { detail: tail }) };
  const told = await retell(context, phase, failure);
  if (!told.ok) return told;
  const { running: before, host } = context.memory.journal;
  context.senses.log({ kind: 'failure', host, stage: 'rollback', failure, revision: phase.attempted });
  const running = uncertain(before);
  return settle(context, aimOf(phase), { event: 'failed', failure, stage: 'rollback', running }, { running });
}
