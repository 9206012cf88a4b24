import type { Journal, Pace } from './journal.ts';

/** The pace of a host before `fleet.yaml` says another. */
export const firstPace: Pace = { interval: 60_000, heartbeat: 24 * 3_600_000, fetch: 5 * 60_000 };

/** What a life begins with; all else is not known yet. */
export type Beginning = Pick<
  Journal,
  'fleet' | 'host' | 'installation' | 'genesis' | 'accepted' | 'acceptedUnder' | 'seq' | 'tip' | 'recordedAt'
>;

/** The journal of a machine that has done nothing yet. */
export function newJournal(beginning: Beginning): Journal {
  return {
    format: 1,
    ...beginning,
    approved: false,
    key: null,
    replaced: null,
    replaces: null,
    follows: false,
    successor: null,
    floors: [],
    delivered: null,
    reports: [],
    diverged: null,
    restoredAt: null,
    running: null,
    newest: 0,
    previous: null,
    earlier: [],
    lastGood: null,
    rebootRequired: null,
    unproved: null,
    pace: firstPace,
    readers: null,
    disks: null,
    unsettled: null,
    standing: null,
    trial: null,
    failed: null,
    failedTrial: null,
    heldByHand: false,
    overtaken: null,
    drift: null,
    corrections: null,
    phase: { at: 'idle' },
  };
}
