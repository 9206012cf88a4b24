import type { ObjectId } from '../objects/object.ts';
import type { Journal, Standing } from './journal.ts';
import { stillStands } from './standing.ts';

/** Where the branches are that concern this host, as last fetched. */
export interface Heads {
  /** Of the configuration branch. */
  readonly revision: ObjectId;
  /** Of `testing/<host>`; `null` when there is none. */
  readonly testing: ObjectId | null;
}

/** What a cycle is about: the configuration branch's head, or, once that is settled, a revision to try on top of it. */
export interface Aim {
  readonly revision: ObjectId;
  readonly isTrial: boolean;
}

/** Where the journal keeps what was found about an aim. */
export function slotOf({ isTrial }: Pick<Aim, 'isTrial'>): 'standing' | 'trial' {
  return isTrial ? 'trial' : 'standing';
}

/** What the journal keeps of a finding. One about the head ends every trial: it is looked at anew, on top of that. */
export function foundAt(aim: Pick<Aim, 'isTrial'>, standing: Standing): Partial<Journal> {
  return aim.isTrial ? { trial: standing } : { standing, trial: null };
}

export interface Around {
  readonly heads: Heads;
  /** A digest of settings, key and version: what stood under others is looked at again. */
  readonly under: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * What is still to be looked at; `undefined` when both heads were judged before and the judgements stand, so that the
 * cycle ends with its fetch (P9). A host that holds or has retired tries nothing.
 */
export function nextAim(journal: Journal, { heads, under, now }: Around): Aim | undefined {
  const { standing } = journal;
  if (!stillStands(standing, { head: heads.revision, under, now })) {
    return { revision: heads.revision, isTrial: false };
  }
  const offered = offeredFor(journal, heads);
  if (offered === null || waits.has(standing.event)) return undefined;
  const isKnown = stillStands(journal.trial, { head: offered, under, now });
  return isKnown ? undefined : { revision: offered, isTrial: true };
}

const waits: ReadonlySet<string> = new Set(['held', 'paused', 'retired']);

/** The revision that `testing/<host>` offers; `null` for none, the head itself, or one that main has left behind. */
function offeredFor(
  { overtaken }: Pick<Journal, 'overtaken'>,
  { revision, testing }: Heads,
): ObjectId | null {
  return testing === revision || testing === overtaken ? null : testing;
}

/**
 * What the journal has to forget before anything is decided; `undefined` when nothing. A trial is over when its branch
 * is gone, has moved or was left behind: then the head is looked at again, unless something else is to be tried.
 */
export function endOfTrial(journal: Journal, heads: Heads): Partial<Journal> | undefined {
  const { trial } = journal;
  const offered = offeredFor(journal, heads);
  if (trial === null || trial.head === offered) return undefined;
  return offered === null ? { trial: null, standing: null, failedTrial: null } : { trial: null };
}
