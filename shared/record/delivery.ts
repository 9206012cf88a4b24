import type { ObjectId } from '../objects/object.ts';
import type { OwnRecord } from './own-record.ts';

/** What the host knows of itself and of its own state branch. */
export interface Own {
  readonly host: string;
  readonly installation: string;
  /** Sequence number of the newest record made. */
  readonly seq: number;
  /** The newest own record that the server was last seen to have; `null` before the first delivery. */
  readonly delivered: ObjectId | null;
  /** Milliseconds since the epoch; `null` for never. */
  readonly restoredAt: number | null;
  /** Whether `enroll --resume` said that this machine goes on. */
  readonly goesOn: boolean;
}

/** The server's `state/<host>`, beside the records that this host made. */
export type Seen =
  | { readonly is: 'absent' }
  /** The newest record. */
  | { readonly is: 'tip' }
  /** Another record of this host's chain; older than what it was seen to have before, or not. */
  | { readonly is: 'ours'; readonly id: ObjectId; readonly isOlder: boolean }
  /** The newest record of the machine before, which this one's first record follows or is going to. */
  | { readonly is: 'older'; readonly id: ObjectId }
  /** Bytes that git refuses, or not signed by this host's key. */
  | { readonly is: 'foreign'; readonly id: ObjectId }
  /** Signed by this host's key, not known here, and chain good (S8) down to a record that is: newest first. */
  | {
      readonly is: 'unknown';
      readonly id: ObjectId;
      readonly records: readonly OwnRecord[];
      /** The known one that they follow; `null` where that cannot be told any more. */
      readonly ground: ObjectId | null;
    }
  /** Signed by this host's key and not known here, but the chain below is not good: nothing in it is believed. */
  | {
      readonly is: 'broken';
      readonly id: ObjectId;
      readonly where: ObjectId;
      readonly problem: string;
    };

export type Delivery =
  | { readonly do: 'nothing' }
  /** Compare-and-swap from `expected`; `report` says what was odd. */
  | { readonly do: 'push'; readonly expected: ObjectId | null; readonly report?: string }
  /** Go on from the server's tip: what was made here instead is made again on top. */
  | { readonly do: 'adopt'; readonly report: string }
  /** Two lives write one branch: a person has to decide. */
  | { readonly do: 'stop'; readonly cause: string; readonly where: ObjectId };

const day = 24 * 3_600_000;

/**
 * What the writer of a state branch does about the tip that the server shows (S9).
 * @param now milliseconds since the epoch
 */
export function deliver(own: Own, seen: Seen, now: number): Delivery {
  const branch = `state/${own.host}`;
  switch (seen.is) {
    case 'absent':
      if (own.delivered === null) return { do: 'push', expected: null };
      return { do: 'push', expected: null, report: `${branch} is gone from the server` };
    case 'tip':
      return { do: 'nothing' };
    case 'ours': {
      // Ahead of what was seen before it is an earlier push whose answer was lost.
      const push = { do: 'push', expected: seen.id } as const;
      return seen.isOlder ? { ...push, report: `${branch} was set back on the server to ${seen.id}` } : push;
    }
    case 'older': {
      const push = { do: 'push', expected: seen.id } as const;
      const report = `${branch} was set back on the server to ${seen.id}, of the machine before`;
      return own.delivered === null ? push : { ...push, report };
    }
    case 'foreign': {
      const report = `${branch} held ${seen.id}, which this host did not sign`;
      return { do: 'push', expected: seen.id, report };
    }
    case 'unknown':
      return unknown(own, seen, now);
    case 'broken':
      return broken(own, seen);
  }
}

/** A restored snapshot of this very installation goes on by itself, but not twice within a day. */
function unknown(own: Own, { id, records }: Extract<Seen, { is: 'unknown' }>, now: number): Delivery {
  const { host, installation, seq, goesOn } = own;
  const upTo = `up to ${records[0]?.seq ?? 0} (${id})`;
  const report =
    `this machine was at record ${seq}, and state/${host} has records ${upTo} that it does not know: ` +
    `it goes on from there`;
  if (goesOn) return { do: 'adopt', report };
  const other = records.find((record) => record.installation !== installation);
  if (other !== undefined) {
    const cause = `${stranger(own, id)}: record ${other.seq} is of installation ${other.installation}, and this one is ${installation}, at record ${seq}`;
    return { do: 'stop', cause, where: id };
  }
  if (!wasRestored(own, records, now)) return { do: 'adopt', report };
  const twice = `${stranger(own, id)}: it has records ${upTo}, this one is at record ${seq}`;
  const cause = `${twice}, and installation ${installation} was restored within a day before`;
  return { do: 'stop', cause, where: id };
}

/**
 * Whether it was restored within the last day. A machine that was set back does not remember that it was set back
 * before: the chain does. A time in the future counts, for which clock is wrong nobody can tell.
 */
function wasRestored(
  { restoredAt }: Pick<Own, 'restoredAt'>,
  records: readonly OwnRecord[],
  now: number,
): boolean {
  const times = records.filter(({ event }) => event === 'restored').map(({ at }) => Date.parse(at));
  return [...times, ...(restoredAt === null ? [] : [restoredAt])].some((time) => now - time < day);
}

function broken(own: Own, { id, where, problem }: Extract<Seen, { is: 'broken' }>): Delivery {
  if (!own.goesOn) return { do: 'stop', cause: `${stranger(own, id)}: ${problem}`, where };
  const report = `state/${own.host} held ${id}, signed by this host's key but not its history: ${problem}`;
  return { do: 'push', expected: id, report };
}

function stranger({ host }: Own, id: ObjectId): string {
  return `state/${host} holds a record that this host's key signed but this installation does not know (${id})`;
}
