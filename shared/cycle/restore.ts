import type { ObjectId } from '../objects/object.ts';
import type { OwnRecord } from '../record/own-record.ts';
import { runningFrom, uncertain } from './guard.ts';
import type { Generation, Journal, Running } from './journal.ts';

/** What there is to learn from beside the journal. */
export interface Evidence {
  /** Records of the host's own good state that the journal does not know, newest first. */
  readonly records: readonly OwnRecord[];
  /** The generations on disk that are whole. */
  readonly generations: readonly Generation[];
}

/**
 * What a journal that is older than the own state learns from it, whatever becomes of the branch: every revision that
 * was accepted is a floor (S2), no number is given twice, and once the disk is newer than the journal, what runs is
 * taken from the newest record that the disk confirms. Learnt twice, it changes nothing more.
 */
export function learn(journal: Journal, { records, generations }: Evidence): Partial<Journal> {
  const { floors, accepted, newest, running } = journal;
  const made = generations.map(({ number }) => number);
  const isOlder = made.some((number) => number > newest);
  return {
    floors: floorsOf(records, accepted, floors),
    newest: Math.max(newest, newestOf(records, generations)),
    ...(isOlder ? { running: runningByRecord(records, generations) ?? uncertain(running) } : {}),
  };
}

/** The distinct accepted revisions besides the one that is accepted anyway. */
export function floorsOf(
  records: readonly OwnRecord[],
  accepted: ObjectId | null,
  before: readonly ObjectId[] = [],
): ObjectId[] {
  const found = records.map((record) => record.accepted).filter((each) => each !== null);
  return [...new Set([...before, ...found])].filter((each) => each !== accepted);
}

/** The highest number of a generation that the records name. */
export function newestOf(records: readonly OwnRecord[], generations: readonly Generation[]): number {
  const made = generations.map(({ number }) => number);
  const recorded = records.map(({ system }) => system?.generation ?? 0);
  return [...made, ...recorded].reduce((highest, each) => Math.max(highest, each), 0);
}

/**
 * What runs, by the newest record, where the disk has that very generation. It is a way back, and equal to nothing that
 * is ever built: it is activated anew.
 */
export function runningByRecord(
  records: readonly OwnRecord[],
  generations: readonly Generation[],
): Running | null {
  const system = records[0]?.system ?? null;
  if (system === null || system.testing === true) return null;
  const { generation: number, revision, since } = system;
  const found = generations.find((each) => each.number === number && nameOf(each) === nameOf(system));
  return found === undefined ? null : uncertain({ ...runningFrom(found, since), revision });
}

/**
 * What becomes of the journal when the host goes on from the server's tip. What stood is looked at again, under floors
 * that may have risen.
 * @param now milliseconds since the epoch
 */
export function continued({ id, seq }: Pick<OwnRecord, 'id' | 'seq'>, now: number): Partial<Journal> {
  return { seq, tip: id, delivered: id, restoredAt: now, diverged: null, standing: null, trial: null };
}

/** Systems are told apart by their names: the state folder may have been moved. */
function nameOf({ path }: { readonly path: string }): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
