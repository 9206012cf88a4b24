import { backIn, runningFrom } from '../../shared/cycle/guard.ts';
import type { Phase } from '../../shared/cycle/journal.ts';
import { ok, type Result } from '../../shared/failure.ts';
import { timestamp } from '../../shared/record/draft.ts';
import type { Context } from '../context.ts';
import { settleBack } from './by-hand.ts';
import { settle } from './record.ts';
import { endWatch } from './watched.ts';

/**
 * A generation whose activation succeeded becomes the last good one, unless it is only being tested. So far an
 * activation's exit code is all the proof there is.
 */
export async function confirm(
  context: Context,
  phase: Extract<Phase, { at: 'confirm' }>,
): Promise<Result<void>> {
  const fired = await endWatch(context, phase);
  if (!fired.ok) return fired;
  if (fired.value) return ok(undefined);
  const { systems, machine } = context.effects('confirm');
  const { memory, senses } = context;
  const generation = (await systems.generations()).find(({ number }) => number === phase.to);
  const { boot } = await machine.facts(memory.journal.fleet);
  const { from, to, left, revision, mode, exit } = phase;
  const since = timestamp(senses.clock.now());
  const running =
    generation === undefined ? memory.journal.running : { ...runningFrom(generation, since), revision };
  const rebootRequired = exit === 100 || mode === 'boot' ? boot : memory.journal.rebootRequired;
  if (mode === 'test') {
    const tested = running === null ? null : { ...running, testedIn: boot };
    const aim = { revision, isTrial: true };
    return settle(context, aim, { event: 'testing', running: tested }, { running: tested, rebootRequired });
  }
  const { previous, earlier } = memory.journal;
  if (left !== undefined) {
    const change = { ...backIn({ previous, earlier }, to), lastGood: to, rebootRequired };
    return settleBack(context, { from, left }, running, change);
  }
  const before = {
    previous: from,
    earlier: previous === null ? earlier : [...earlier, previous].slice(-most),
  };
  return settle(
    context,
    { revision, isTrial: false },
    { event: 'deployed', running },
    { running, ...before, lastGood: to, rebootRequired },
  );
}

/** How many generations before the previous one are remembered; most of them are pruned long before. */
const most = 20;
