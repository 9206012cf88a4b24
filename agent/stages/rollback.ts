import { judge, stuck } from '../../shared/cycle/confirm.ts';
import { uncertain } from '../../shared/cycle/guard.ts';
import { attempts } from '../../shared/cycle/journal.ts';
import { worldsFault } from '../../shared/health/baseline.ts';
import { fail, type Failure, type Result } from '../../shared/failure.ts';
import type { Context } from '../context.ts';
import { retell } from './by-hand.ts';
import { reachServer, stopped } from './health.ts';
import { settle } from './record.ts';
import { activate, makeCurrent, seesUnits, type GoingBack, type Target } from './switch.ts';

/** Activates the generation that ran before the failed switch (40), or says that there is no way back (41). */
export async function rollback(context: Context, phase: GoingBack): Promise<Result<void>> {
  const { systems, programs } = context.effects('rollback');
  if (phase.child !== undefined) await programs.endLeftover(phase.child);
  const back = await wayBack(context, phase);
  if (typeof back === 'string') {
    if (phase.from === null) await systems.setCurrent(null);
    return giveUp(context, phase, stuck(phase.failure, back));
  }
  const current = await makeCurrent(context, 'rollback', back, phase);
  if (!current.ok) return current;
  if (current.value !== undefined) return giveUp(context, phase, stuck(phase.failure, current.value));
  const { activation, tail } = await activate(context, 'rollback', back, back.revision, phase);
  const verdict = judge(activation, seesUnits(phase));
  if (verdict.good) return settleUndone(context, phase);
  const failure = stuck(phase.failure, `going back to ${nameOf(back)} failed: ${verdict.cause}`);
  return giveUp(context, phase, tail === '' ? failure : { ...failure, detail: tail });
}

/** What to go back to, or why there is nothing: decided before anything is changed. */
async function wayBack(context: Context, phase: GoingBack): Promise<Target | string> {
  if (phase.attempt >= attempts.rollback) return `going back was interrupted ${phase.attempt} times`;
  if (phase.from === null) {
    const { before, attempted } = phase;
    if (before === undefined) return 'there is no earlier generation to go back to';
    return { kind: 'nixos', path: before, number: null, revision: attempted };
  }
  const { systems } = context.effects('rollback');
  const generation = (await systems.generations()).find(({ number }) => number === phase.from);
  return generation ?? `generation ${phase.from} is gone from the disk, or damaged`;
}

function nameOf({ number, path }: Target): string {
  return number === null ? path : `generation ${number}`;
}

function aimOf({ attempted, mode }: GoingBack) {
  return { revision: attempted, isTrial: mode === 'test' };
}

async function settleUndone(context: Context, phase: GoingBack): Promise<Result<void>> {
  const { running, host } = context.memory.journal;
  const { attempted } = phase;
  const failure = await blameOf(context, phase);
  if (failure === 'stopped') return fail(stopped('going back'));
  const told = await retell(context, phase, failure);
  if (!told.ok) return told;
  context.senses.log({ kind: 'failure', host, stage: 'switch', failure, revision: attempted });
  return settle(context, aimOf(phase), { event: 'rolled-back', failure, stage: 'switch', running });
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

async function giveUp(context: Context, phase: GoingBack, failure: Failure): Promise<Result<void>> {
  const told = await retell(context, phase, failure);
  if (!told.ok) return told;
  const { running: before, host } = context.memory.journal;
  context.senses.log({ kind: 'failure', host, stage: 'rollback', failure, revision: phase.attempted });
  const running = uncertain(before);
  return settle(context, aimOf(phase), { event: 'failed', failure, stage: 'rollback', running }, { running });
}
