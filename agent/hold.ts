import { isOver, type Hold } from '../shared/cycle/hold.ts';
import { forgotten } from '../shared/cycle/failed.ts';
import type { Journal } from '../shared/cycle/journal.ts';
import type { Phase } from '../shared/cycle/phase.ts';
import { fail, ok, type Failure, type Result } from '../shared/failure.ts';
import type { AgentHost } from './host.ts';
import { openMemory, patience } from './memory.ts';
import { notEnrolled } from './opening.ts';
import { portThrough } from './seam.ts';

/** What `hold` found. */
export interface Held {
  readonly hold: Hold;
  /** What was in force before, in as many words as could be read. */
  readonly before: Hold | Failure | null;
  /** An activation that was cut off: the agent finishes or undoes it first, whatever holds. */
  readonly isHalfDone: boolean;
}

/**
 * Holds this machine by hand: offline, beside an agent, whatever its settings and its key are like. The hold counts
 * from its first moment; a build that runs may finish, and an activation that runs is waited for, for it is not undone
 * by a hold. Fails with `locked` when that takes too long; the hold stays.
 */
export async function holdByHand(
  host: AgentHost,
  { reason, until }: Pick<Hold, 'reason' | 'until'>,
  signal: AbortSignal,
): Promise<Result<Held>> {
  const holds = portThrough(host.perform, 'record', 'holds', host.holds);
  const isThere = await isEnrolled(host);
  if (!isThere) return fail(notEnrolled);
  const now = host.clock.now();
  const before = inForce(await holds.load(), now);
  const since = before !== null && 'since' in before ? before.since : now;
  const hold: Hold = { reason, since, ...(until === undefined ? {} : { until }), by: 'hold' };
  const saved = await holds.save(hold);
  if (!saved.ok) return saved;
  const settled = await whenSettled(host, signal);
  return settled.ok ? ok({ hold, before, isHalfDone: settled.value }) : settled;
}

/** What `resume` ended. */
export interface Released {
  /** The hold that was in force, `null` when none was. */
  readonly hold: Hold | Failure | null;
  /** What failed here before and may be tried again. */
  readonly forgot: Pick<Journal, 'failed' | 'failedTrial'> | null;
}

/**
 * Lets the machine go on: forgets what failed on it, and ends a hold by hand, also one that cannot be read. In this
 * order, so that an agent which wakes at the end of the hold is free to try; and the hold ends whatever becomes of the
 * journal, which an agent that is at work may keep from us (11).
 */
export async function release(host: AgentHost, signal: AbortSignal): Promise<Result<Released>> {
  const forgot = await forget(host, signal);
  const hold = await endHold(host);
  if (!hold.ok) return hold;
  return forgot.ok ? ok({ hold: hold.value, forgot: forgot.value }) : fail(stillRemembered(forgot.failure));
}

/** Where nothing failed, and where nobody can say, the journal is left alone. */
async function forget(
  { journals: port, locks, perform }: AgentHost,
  signal: AbortSignal,
): Promise<Result<Released['forgot']>> {
  const journals = portThrough(perform, 'record', 'journals', port);
  const read = await journals.load();
  if (!read.ok || read.value === null || forgotten(read.value) === undefined) return ok(null);
  const memory = await openMemory(journals, locks);
  if (!memory.ok) return memory;
  const held = await memory.value.hold(signal);
  if (!held.ok) return held;
  try {
    const { failed, failedTrial } = memory.value.journal;
    const change = forgotten(memory.value.journal);
    const written = change === undefined ? ok(undefined) : await memory.value.write(change);
    return written.ok ? ok(change === undefined ? null : { failed, failedTrial }) : written;
  } finally {
    await memory.value.release();
  }
}

function stillRemembered(failure: Failure): Failure {
  return {
    ...failure,
    cause: `no hold is in force, but what failed on this machine is not forgotten: ${failure.cause}`,
    remedy:
      failure.kind === 'locked'
        ? 'wait until the agent has ended what it is at, and run `autark resume` again'
        : failure.remedy,
  };
}

async function endHold(host: AgentHost): Promise<Result<Hold | Failure | null>> {
  const holds = portThrough(host.perform, 'record', 'holds', host.holds);
  const read = await holds.load();
  if (read.ok && read.value === null) return ok(null);
  const removed = await holds.remove();
  return removed.ok ? ok(inForce(read, host.clock.now())) : removed;
}

function inForce(read: Result<Hold | null>, now: number): Hold | Failure | null {
  if (!read.ok) return read.failure;
  return read.value === null || isOver(read.value, now) ? null : read.value;
}

/** A machine with settings that are no good, or with a journal and no settings, may need to be held most. */
async function isEnrolled({ settings, journals }: AgentHost): Promise<boolean> {
  const loaded = await settings.load();
  if (!loaded.ok || loaded.value !== null) return true;
  const journal = await journals.load();
  return !journal.ok || journal.value !== null;
}

/** What `hold` waits for: a step that runs changes the machine as well. */
const activating: ReadonlySet<Phase['at']> = new Set(['step', 'switch', 'confirm', 'rollback']);

/** Waits until nothing is being activated; true when something was cut off in its activation. */
async function whenSettled({ journals, locks }: AgentHost, signal: AbortSignal): Promise<Result<boolean>> {
  const isActivating = async (): Promise<boolean> => {
    const journal = await journals.load();
    return journal.ok && journal.value !== null && activating.has(journal.value.phase.at);
  };
  if (!(await isActivating())) return ok(false);
  const unlock = await locks.acquire('cycle', { timeout: patience, signal });
  if (!unlock.ok) return fail(stillActivating(unlock.failure));
  try {
    return ok(await isActivating());
  } finally {
    await unlock.value();
  }
}

function stillActivating(failure: Failure): Failure {
  if (failure.kind !== 'locked') return failure;
  return {
    ...failure,
    cause: `the machine is held, but an activation or a step that had begun still runs: ${failure.cause}`,
    remedy: 'wait until it has ended; nothing else is activated after it',
  };
}
