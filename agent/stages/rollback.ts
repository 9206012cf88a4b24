import { deadlineOf, judge } from '../../shared/cycle/confirm.ts';
import { attempts } from '../../shared/cycle/phase.ts';
import { hasBootedInto } from '../../shared/cycle/reboot.ts';
import { fail, ok, type Result } from '../../shared/failure.ts';
import type { Context } from '../context.ts';
import { activate, leftAlone, outcomeOf, type Activated, type GoingBack, type Target } from './activation.ts';
import { bootOf, generationOf, makeCurrent, seesUnits } from './switch.ts';
import { placeSecrets, tellOfSecrets } from './secrets.ts';
import { giveUp, settleUndone } from './undone.ts';
import { endWatch } from './watched.ts';
import { wayBackOf } from './way-back.ts';

/** Activates the generation that ran before the failed switch (40), or says that there is no way back (41). */
export async function rollback(context: Context, phase: GoingBack): Promise<Result<void>> {
  const { systems } = context.effects('rollback');
  const before = await outcomeOf(context, 'rollback', phase);
  if (before === 'left') return fail(leftAlone);
  if (before !== null) return conclude(context, phase, before);
  if (await handOver(context, phase)) return ok(undefined);
  const back = await wayBack(context, phase);
  if (typeof back === 'string') {
    if (phase.from === null) await systems.setCurrent(null);
    return unwatched(context, phase, () => giveUp(context, phase, back));
  }
  const watched = await watchOver(context, phase);
  if (!watched.ok) return watched;
  const current = await makeCurrent(context, 'rollback', back, phase);
  if (!current.ok) return current;
  const { value: obstacle } = current;
  if (obstacle !== undefined) return unwatched(context, phase, () => giveUp(context, phase, obstacle));
  // What went wrong with that is in the log: going back is worth more than its secrets.
  if (phase.mode !== 'boot') await placeSecrets(context, 'rollback', back);
  const activated = await activate(context, 'rollback', back, back.revision, phase);
  return activated === 'left' ? fail(leftAlone) : conclude(context, phase, activated);
}

/**
 * What the machine has booted into is gone back from by the watchdog, which starts the machine anew; this agent waits for
 * what it does, and is stopped. False where nobody watches: then a person has to start it anew.
 */
async function handOver(context: Context, phase: GoingBack): Promise<boolean> {
  if (phase.attempt > 0 || !hasBootedInto(phase, await bootOf(context))) return false;
  const handed = await context.effects('rollback').watchdog.fireNow();
  return handed.ok && handed.value;
}

/** A new watch, for going back takes its own time: an agent that dies in it leaves it to the watchdog. */
async function watchOver(context: Context, phase: GoingBack): Promise<Result<void>> {
  const back = await wayBackOf(context, 'rollback', phase);
  if (back === null) return ok(undefined);
  const { newest, pace } = context.memory.journal;
  const { mode, timeout } = phase;
  const deadline = deadlineOf(timeout, pace.fetch);
  return context.effects('rollback').watchdog.arm({ generation: newest, back, mode, timeout, deadline });
}

async function conclude(
  context: Context,
  phase: GoingBack,
  { activation, tail }: Activated,
): Promise<Result<void>> {
  const verdict = judge(activation, seesUnits(phase));
  if (verdict.good) {
    await tellUnits(context, phase);
    return unwatched(context, phase, () => settleUndone(context, phase, true));
  }
  const to = phase.from === null ? (phase.before ?? 'what ran') : `generation ${phase.from}`;
  const cause = `going back to ${to} failed: ${verdict.cause}`;
  return unwatched(context, phase, () => giveUp(context, phase, cause, tail));
}

/** The machine is back, whatever becomes of that: a unit that is unknown is said, and nothing else. */
async function tellUnits(context: Context, { from, mode }: GoingBack): Promise<void> {
  const generation =
    mode === 'boot' || from === null ? undefined : await generationOf(context, 'rollback', from);
  const told =
    generation === undefined ? ok(undefined) : await tellOfSecrets(context, 'rollback', generation);
  const { host } = context.memory.journal;
  if (!told.ok) context.senses.log({ kind: 'failure', host, stage: 'rollback', failure: told.failure });
}

/** Ends the watch first: where the watchdog was sooner, it is what it did that is settled. */
async function unwatched(
  context: Context,
  phase: GoingBack,
  settle: () => Promise<Result<void>>,
): Promise<Result<void>> {
  const fired = await endWatch(context, phase);
  if (!fired.ok) return fired;
  return fired.value ? ok(undefined) : settle();
}

/** What to go back to, or why there is nothing: decided before anything is changed. */
async function wayBack(context: Context, phase: GoingBack): Promise<Target | string> {
  if (phase.attempt >= attempts.rollback) return `going back was interrupted ${phase.attempt} times`;
  if (phase.from === null) {
    const { before, attempted } = phase;
    if (before === undefined) return 'there is no earlier generation to go back to';
    return { kind: 'nixos', path: before, number: null, revision: attempted };
  }
  const generation = await generationOf(context, 'rollback', phase.from);
  if (generation === undefined) return `generation ${phase.from} is gone from the disk, or damaged`;
  // Where the switch changed no agent, going back changes none.
  const { agent: _, ...others } = generation;
  const { agentBefore: agent } = phase;
  return agent === undefined ? others : { ...others, agent };
}
