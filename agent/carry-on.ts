import type { Journal } from '../shared/cycle/journal.ts';
import { ok, type Result } from '../shared/failure.ts';
import type { Context } from './context.ts';
import { confirm } from './stages/confirm.ts';
import { commitRecord } from './stages/record.ts';
import { rollback } from './stages/rollback.ts';
import { switchTo } from './stages/switch.ts';
import { stepEnded } from './steps/ended.ts';
import { takeFired, type Watched } from './stages/watched.ts';

/**
 * Walks on from wherever the journal stands until nothing is half done: the second half of every cycle, and the
 * whole of recovery after a kill or a power cut (P2). Each phase has one function, which ends by writing the next
 * phase; so a phase found at start is simply entered again.
 */
export async function carryOn(context: Context): Promise<Result<void>> {
  for (;;) {
    const { phase } = context.memory.journal;
    if (phase.at === 'idle') return ok(undefined);
    const fired = isWatched(phase) ? await takeFired(context, phase) : ok(false);
    if (!fired.ok) return fired;
    if (fired.value) continue;
    const walked = await enter(context, phase);
    if (!walked.ok) return walked;
  }
}

function isWatched(phase: Journal['phase']): phase is Watched {
  return phase.at === 'switch' || phase.at === 'confirm' || phase.at === 'rollback';
}

async function enter(context: Context, phase: Journal['phase']): Promise<Result<void>> {
  const { time } = context.stopwatch;
  switch (phase.at) {
    case 'idle':
      return ok(undefined);
    case 'build':
      return undoBuild(context, phase);
    case 'step':
      return time('step', () => stepEnded(context, phase));
    case 'switch':
      return time('switch', () => switchTo(context, phase));
    case 'confirm':
      return time('confirm', () => confirm(context, phase));
    case 'rollback':
      return time('rollback', () => rollback(context, phase));
    case 'record':
      return record(context, phase);
  }
}

/** The tree that was built from goes first: once the journal is idle, nobody would look for it. */
async function record(
  context: Context,
  phase: Extract<Journal['phase'], { at: 'record' }>,
): Promise<Result<void>> {
  await context.effects('record').trees.remove();
  return commitRecord(context, phase);
}

/** A build that was cut off is worth nothing: what it left is removed, and the next cycle builds anew. */
async function undoBuild(
  context: Context,
  phase: Extract<Journal['phase'], { at: 'build' }>,
): Promise<Result<void>> {
  const { programs, systems, trees } = context.effects('build');
  if (phase.child !== undefined) await programs.endLeftover(phase.child);
  await systems.discard(phase.path);
  await trees.remove();
  return context.memory.write({ phase: { at: 'idle' } });
}
