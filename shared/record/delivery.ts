import type { Failure } from '../failure.ts';
import type { ObjectId } from '../objects/object.ts';

/** What the host knows of its own state branch. */
export interface Own {
  readonly host: string;
  /** The newest record made. */
  readonly tip: ObjectId;
  /** The server's tip as last read back; `null` before the first delivery. */
  readonly delivered: ObjectId | null;
}

/** The server's tip of `state/<host>`, as it was just read. */
export interface Seen {
  readonly id: ObjectId;
  /** Whether it lies in this host's own history. */
  readonly isOurs: boolean;
  /** Whether it is older than what was read back before. */
  readonly isOlder?: boolean;
  /** Whether it carries a good signature by this host's key. */
  readonly signedByUs: boolean;
}

export type Delivery =
  | { readonly do: 'nothing' }
  /** Compare-and-swap from `expected`; `report` says what was odd. */
  | { readonly do: 'push'; readonly expected: ObjectId | null; readonly report?: string }
  | { readonly do: 'stop'; readonly failure: Failure };

/** What the writer of a state branch does about the tip that the server shows (S9). */
export function deliver(own: Own, seen: Seen | null): Delivery {
  const branch = `state/${own.host}`;
  if (seen === null) {
    if (own.delivered === null) return { do: 'push', expected: null };
    return { do: 'push', expected: null, report: `${branch} is gone from the server` };
  }
  if (seen.id === own.tip) return { do: 'nothing' };
  const expected = seen.id;
  if (seen.id === own.delivered) return { do: 'push', expected };
  if (seen.isOurs) {
    if (seen.isOlder === true) {
      return {
        do: 'push',
        expected,
        report: `${branch} was set back on the server to ${seen.id}`,
      };
    }
    // Ahead of what was read back: an earlier push whose answer was lost.
    return { do: 'push', expected };
  }
  if (!seen.signedByUs) {
    return {
      do: 'push',
      expected,
      report: `${branch} held ${seen.id}, which this host did not sign`,
    };
  }
  return { do: 'stop', failure: diverged(branch, seen.id) };
}

function diverged(branch: string, tip: ObjectId): Failure {
  return {
    kind: 'diverged',
    cause: `${branch} holds a record that this host's key signed but this installation does not know`,
    where: tip,
    remedy:
      'two machines hold this key, or this one was restored from a snapshot: ' +
      'decide which goes on, and stop the other; nothing is pushed until then',
  };
}
