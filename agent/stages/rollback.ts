import { judge, stuck } from '../../shared/cycle/confirm.ts';
import { uncertain } from '../../shared/cycle/guard.ts';
import { attempts, type Generation } from '../../shared/cycle/journal.ts';
import type { Failure, Result } from '../../shared/failure.ts';
import type { Context } from '../context.ts';
import { settle } from './record.ts';
import { activate, type GoingBack } from './switch.ts';

/** Activates the generation that ran before the failed switch (40), or says that there is no way back (41). */
export async function rollback(context: Context, phase: GoingBack): Promise<Result<void>> {
  const { systems, programs } = context.effects('rollback');
  if (phase.child !== undefined) await programs.endLeftover(phase.child);
  const back = await wayBack(context, phase);
  if (typeof back === 'string') {
    if (phase.from === null) await systems.setCurrent(null);
    return giveUp(context, phase, stuck(phase.failure, back));
  }
  const current = await systems.setCurrent(back.number);
  if (!current.ok) return current;
  const { activation, tail } = await activate(context, 'rollback', back, back.revision, phase);
  const verdict = judge(activation);
  if (verdict.good) return settleBack(context, phase);
  const failure = stuck(phase.failure, `going back to generation ${back.number} failed: ${verdict.cause}`);
  return giveUp(context, phase, tail === '' ? failure : { ...failure, detail: tail });
}

/** The generation to go back to, or why there is none: decided before anything is changed. */
async function wayBack(context: Context, phase: GoingBack): Promise<Generation | string> {
  if (phase.from === null) return 'there is no earlier generation to go back to';
  if (phase.attempt >= attempts.rollback) return `going back was interrupted ${phase.attempt} times`;
  const { systems } = context.effects('rollback');
  const generation = (await systems.generations()).find(({ number }) => number === phase.from);
  return generation ?? `generation ${phase.from} is gone from the disk, or damaged`;
}

function settleBack(context: Context, { attempted, failure }: GoingBack): Promise<Result<void>> {
  const { running, host } = context.memory.journal;
  context.senses.log({ kind: 'failure', host, stage: 'switch', failure, revision: attempted });
  return settle(context, attempted, { event: 'rolled-back', failure, stage: 'switch', running });
}

function giveUp(context: Context, { attempted }: GoingBack, failure: Failure): Promise<Result<void>> {
  const { running: before, host } = context.memory.journal;
  context.senses.log({ kind: 'failure', host, stage: 'rollback', failure, revision: attempted });
  const running = uncertain(before);
  return settle(context, attempted, { event: 'failed', failure, stage: 'rollback', running }, { running });
}
