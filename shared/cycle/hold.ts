import type { Failure, Result } from '../failure.ts';
import type { Plan } from './plan.ts';

/** What a person said on the machine itself, as `hold.json` keeps it: nothing is activated until that ends. */
export interface Hold {
  /** One line of text. */
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Milliseconds since the epoch at which it ends by itself. */
  readonly until?: number;
  readonly by: 'hold' | 'rollback';
}

/** A hold by hand that is in force, as a cycle has to do with it. */
export interface HeldByHand {
  readonly failure: Failure;
  /** Milliseconds since the epoch at which it ends by itself. */
  readonly until?: number;
}

/** Where a hold is, in messages. */
export const holdFile = 'var/lib/autark/hold.json';

/**
 * What is in force now of what was read; `null` when nothing is. A file that cannot be read or believed holds as well:
 * somebody may have said to wait, and not to know is no reason to go on (P4).
 * @param now milliseconds since the epoch
 */
export function heldByHand(read: Result<Hold | null>, now: number): HeldByHand | null {
  if (!read.ok) return { failure: read.failure };
  const hold = read.value;
  if (hold === null || isOver(hold, now)) return null;
  return { failure: failureOf(hold), ...(hold.until === undefined ? {} : { until: hold.until }) };
}

/** Whether a hold has ended by itself. */
export function isOver({ until }: Hold, now: number): boolean {
  return until !== undefined && until <= now;
}

/** The plan of a host that is held by hand, whatever the revision. */
export function planOf({ failure, until }: HeldByHand): Extract<Plan, { do: 'hold' }> {
  return {
    ...{ do: 'hold', event: 'held', failure, isByHand: true },
    ...(until === undefined ? {} : { until }),
  };
}

function failureOf({ reason }: Hold): Failure {
  return {
    kind: 'held',
    cause: `held by hand on this machine: ${reason}`,
    where: holdFile,
    remedy: 'run `autark resume` on the machine to go on',
  };
}
