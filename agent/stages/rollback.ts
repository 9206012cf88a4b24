import { judge, stuck } from '../../shared/cycle/confirm.ts';
import { uncertain } from '../../shared/cycle/guard.ts';
import { attempts } from '../../shared/cycle/journal.ts';
import type { Failure, Result } from '../../shared/failure.ts';
import type { Context } from '../context.ts';
import { settle } from './record.ts';
import { activate, type GoingBack } from './switch.ts';

/** Activates the generation that ran before the failed switch (40), or says that there is no way back (41). */
export async function rollback(context: Context, phase: GoingBack): Promise<Result<void>> {
  const { systems, programs } = context.effects('rollback');
  if (phase.child !== undefined) await programs.endLeftover(phase.child);
  const current = await systems.setCurrent(phase.from);
  if (!current.ok) return current;
  const problem = await activatePrevious(context, phase);
  const { running } = context.memory.journal;
  const { attempted, failure } = phase;
  const told = { kind: 'failure', host: context.memory.journal.host, revision: attempted } as const;
  context.senses.log({ ...told, stage: 'switch', failure: problem ?? failure });
  if (problem === undefined) {
    return settle(context, attempted, { event: 'rolled-back', failure, stage: 'switch', running });
  }
  const left = uncertain(running);
  const happened = { event: 'failed', failure: problem, stage: 'rollback', running: left } as const;
  return settle(context, attempted, happened, { running: left });
}

/** The failure if the host could not go back. */
async function activatePrevious(context: Context, phase: GoingBack): Promise<Failure | undefined> {
  if (phase.from === null) return stuck(phase.failure, 'there is no earlier generation to go back to');
  if (phase.attempt >= attempts.rollback) {
    return stuck(phase.failure, `going back was interrupted ${phase.attempt} times`);
  }
  const { systems } = context.effects('rollback');
  const generation = (await systems.generations()).find(({ number }) => number === phase.from);
  if (generation === undefined) return stuck(phase.failure, `generation ${phase.from} is gone from the disk`);
  const { activation, tail } = await activate(context, 'rollback', generation, generation.revision, phase);
  const verdict = judge(activation);
  if (verdict.good) return undefined;
  const failure = stuck(phase.failure, `going back to generation ${phase.from} failed: ${verdict.cause}`);
  return tail === '' ? failure : { ...failure, detail: tail };
}
