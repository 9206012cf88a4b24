import { carriedBy } from '../../shared/cycle/carried.ts';
import { judge } from '../../shared/cycle/confirm.ts';
import type { Phase } from '../../shared/cycle/phase.ts';
import { ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Context } from '../context.ts';
import type { Fired } from '../unit-ports.ts';
import { giveUp, settleUndone } from './undone.ts';
import type { GoingBack } from './activation.ts';
import { bootOf, seesUnits } from './switch.ts';

export type Watched = Extract<Phase, { at: 'switch' | 'confirm' | 'rollback' }>;

/** Milliseconds beyond an activation's own timeout that a going back by the watchdog is waited for. */
const slack = 60_000;

/**
 * What the watchdog did while no agent was there to be sooner. True when it had fired: the journal has it then. A switch
 * that has not begun is begun under a new watch, so what an older one did is of no matter.
 */
export async function takeFired(context: Context, phase: Watched): Promise<Result<boolean>> {
  if (phase.at === 'switch' && phase.attempt === 0) return ok(false);
  const fired = await context.effects(phase.at).watchdog.fired(boundsOf(context, phase));
  return fired.ok ? settleFired(context, phase, fired.value) : fired;
}

/** Ends the watch, before the journal says how the switch ended. True when the watchdog was sooner, as above. */
export async function endWatch(context: Context, phase: Watched): Promise<Result<boolean>> {
  const fired = await context.effects(phase.at).watchdog.disarm(boundsOf(context, phase));
  return fired.ok ? settleFired(context, phase, fired.value) : fired;
}

/** Ends the watch of this boot alone: until another one is armed, a power cut leads to the one there is. True as above. */
export async function suspendWatch(context: Context, phase: Watched): Promise<Result<boolean>> {
  const fired = await context.effects(phase.at).watchdog.suspend(boundsOf(context, phase));
  return fired.ok ? settleFired(context, phase, fired.value) : fired;
}

function boundsOf({ signal, memory }: Context, phase: Watched) {
  const { timeout = memory.journal.pace.fetch } = phase;
  return { timeout: timeout + slack, signal };
}

async function settleFired(context: Context, phase: Watched, fired: Fired | null): Promise<Result<boolean>> {
  if (fired === null) return ok(false);
  const back = goingBack(context, phase);
  const settled = await settleAs(context, back, fired);
  if (!settled.ok) return settled;
  const cleared = await context.effects(phase.at).watchdog.clear();
  return cleared.ok ? ok(true) : cleared;
}

async function settleAs(context: Context, back: GoingBack, fired: Fired): Promise<Result<void>> {
  if (fired.how === 'interrupted') return context.memory.write({ phase: back });
  const verdict = judge({ how: 'exited', code: fired.code }, seesUnits(back));
  return verdict.good
    ? settleUndone(context, back, fired.boot === (await bootOf(context)))
    : giveUp(context, back, `the watchdog could not go back: ${verdict.cause}`);
}

/** The phase that the watchdog acted in the place of. */
function goingBack({ memory }: Context, phase: Watched): GoingBack {
  if (phase.at === 'rollback') return { ...phase, attempt: 0 };
  const { from, revision, mode, to, timeout = memory.journal.pace.fetch } = phase;
  return {
    ...{ at: 'rollback', from, attempted: revision, attempt: 0, mode, failure: unconfirmed(to) },
    timeout,
    ...carriedBy(phase),
  };
}

function unconfirmed(generation: number): Failure {
  return {
    kind: 'switch-failed',
    cause: `generation ${generation} was not confirmed in time: its agent was gone, hung or too slow, and the watchdog went back`,
    where: `generation ${generation}`,
    remedy:
      'look with `journalctl -u autark -u autark-watchdog` what became of the agent; mend the configuration and push',
  };
}
