import type { Aim } from '../../shared/cycle/aim.ts';
import { stuck } from '../../shared/cycle/confirm.ts';
import { weigh, type Weighed } from '../../shared/cycle/failed.ts';
import { runningFrom, uncertain } from '../../shared/cycle/guard.ts';
import type { Journal } from '../../shared/cycle/journal.ts';
import { hasBootedInto } from '../../shared/cycle/reboot.ts';
import { fail, type Failure, type Result } from '../../shared/failure.ts';
import { worldsFault } from '../../shared/health/baseline.ts';
import { timestamp } from '../../shared/record/draft.ts';
import type { Context } from '../context.ts';
import { retell } from './by-hand.ts';
import { reachServer, stopped } from './health.ts';
import { settle } from './record.ts';
import type { GoingBack } from './activation.ts';
import { bootOf, generationOf } from './switch.ts';

function aimOf({ attempted, mode }: GoingBack): Aim {
  return { revision: attempted, isTrial: mode === 'test' };
}

/**
 * Ends a switch that was undone: what ran before runs again (40), or does from the next boot on.
 * @param isInThisBoot whether it was undone without a reboot after it
 */
export async function settleUndone(
  context: Context,
  phase: GoingBack,
  isInThisBoot = false,
): Promise<Result<void>> {
  const { host } = context.memory.journal;
  const found = isInThisBoot
    ? { ...(await trialLeft(context, phase)), ...(await rebootAfter(context, phase)) }
    : {};
  const { running } = { ...context.memory.journal, ...found };
  const { attempted } = phase;
  const blamed = await blameOf(context, phase);
  if (blamed === 'stopped') return fail(stopped('going back'));
  const { failure, change } = remember(context, phase, blamed);
  const told = await retell(context, phase, failure);
  if (!told.ok) return told;
  context.senses.log({ kind: 'failure', host, stage: 'switch', failure, revision: attempted });
  // What was changed by hand before is no more; what is left of it is found anew.
  const settled = { event: 'rolled-back', failure, stage: 'switch', running } as const;
  return settle(context, aimOf(phase), settled, { ...change, ...found, drift: null });
}

/** What was tried does not run any more: what is gone back to from a switch for good is what the machine boots. */
async function trialLeft(context: Context, { from, mode }: GoingBack): Promise<Partial<Journal>> {
  const { running } = context.memory.journal;
  if (mode !== 'switch' || from === null || running?.testedIn === undefined) return {};
  if (running.generation === from) return {};
  const generation = await generationOf(context, 'rollback', from);
  const since = timestamp(context.senses.clock.now());
  return generation === undefined ? {} : { running: runningFrom(generation, since) };
}

/** What the machine had booted into goes on to run, though it is the boot default no more. */
async function rebootAfter(context: Context, phase: GoingBack): Promise<Partial<Journal>> {
  const boot = await bootOf(context);
  if (!hasBootedInto(phase, boot)) return {};
  const { running } = context.memory.journal;
  return { rebootRequired: boot, running: running === null ? null : { ...running, waitsIn: boot } };
}

/** What failed is written with how it ended, so that a crash cannot part them. */
function remember({ memory, senses }: Context, phase: GoingBack, failure: Failure): Weighed {
  const { tried } = phase;
  return weigh(memory.journal, { aim: aimOf(phase), tried, failure, now: senses.clock.now() });
}

/** A server that the old generation cannot reach either is no fault of the revision (P3). */
async function blameOf(
  context: Context,
  { failure, isCutOff, from }: GoingBack,
): Promise<Failure | 'stopped'> {
  if (isCutOff !== true) return failure;
  const unreached = await reachServer(context, 'rollback');
  if (unreached === undefined) return failure;
  return context.signal.aborted ? 'stopped' : worldsFault(failure, from, unreached);
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
  const stayed = { ...stuck(phase.failure, cause), ...(tail === '' ? {} : { detail: tail }) };
  const { failure, change } = remember(context, phase, stayed);
  const told = await retell(context, phase, failure);
  if (!told.ok) return told;
  const { running: before, host } = context.memory.journal;
  context.senses.log({ kind: 'failure', host, stage: 'rollback', failure, revision: phase.attempted });
  const running = uncertain(before);
  const settled = { event: 'failed', failure, stage: 'rollback', running } as const;
  return settle(context, aimOf(phase), settled, { ...change, running, drift: null });
}
