import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { checkLink } from '../../shared/record/chain.ts';
import { ownRecord, type OwnRecord } from '../../shared/record/own-record.ts';
import type { Found, Pinned, StateRecord } from '../../shared/record/tip.ts';
import type { Git } from '../git-ports.ts';
import { readCommit, readFound } from '../objects/read.ts';

/** A chain as far as it was walked. */
export interface Walked {
  /** Newest first, without the one that was known. */
  readonly records: readonly OwnRecord[];
  /** The known record that it leads to; `null` when it ends at a genesis that nobody had to know. */
  readonly ground: ObjectId | null;
}

/** The link that breaks a chain. */
export interface Break {
  readonly where: ObjectId;
  readonly problem: string;
}

/**
 * Walks from a record down to one that is known, or to the genesis; each link must be good (S8). The last value says
 * where it is not. Fails when an object cannot be read just now, which says nothing about the chain.
 */
export async function walkChain(
  git: Git,
  top: Found,
  pinned: Pinned,
  isKnown: (record: StateRecord) => Promise<boolean>,
): Promise<Result<Walked, Failure | Break>> {
  const records: OwnRecord[] = [];
  let found = top;
  let above: StateRecord | null = null;
  for (;;) {
    const checked = checkLink(found, pinned, above);
    if (!checked.ok) return fail({ where: found.id, problem: checked.failure.cause });
    above = checked.value;
    if (await isKnown(above)) return ok({ records, ground: above.id });
    records.push(ownRecord(above));
    const below = found.commit.parents[0];
    if (below === undefined) return ok({ records, ground: null });
    const read = await readFound(git, below);
    if (!read.ok) return fail(isOfItsBytes(read.failure) ? unreadable(below, read.failure) : read.failure);
    found = read.value;
  }
}

/** Bytes that are there and wrong, not bytes that are missing. */
export function isOfItsBytes({ kind }: Failure): boolean {
  return kind === 'not-authentic' || kind === 'invalid';
}

function unreadable(where: ObjectId, { cause }: Failure): Break {
  return { where, problem: cause };
}

export function isBreak(problem: Failure | Break): problem is Break {
  return 'problem' in problem;
}

/** The records that this host made, by their numbers: walked from the newest down, no further than asked. */
export interface OwnChain {
  /** `null` above the newest, and where older ones cannot be read any more. */
  idAt(seq: number): Promise<ObjectId | null>;
  /** Whether the walk has left this one above it. */
  isAbove(id: ObjectId | null): boolean;
  /** The number of the oldest one whose name is known so far. */
  lowest(): number;
}

export function openOwnChain(git: Git, tip: ObjectId, seq: number): OwnChain {
  const passed = new Set<ObjectId>();
  let at: { readonly id: ObjectId; readonly seq: number } = { id: tip, seq };
  let isOpen = true;
  return {
    async idAt(wanted) {
      while (isOpen && at.seq > wanted) {
        const read = await readCommit(git, at.id);
        const below = read.ok ? read.value.commit.parents[0] : undefined;
        if (below === undefined) {
          isOpen = false;
          break;
        }
        passed.add(at.id);
        at = { id: below, seq: at.seq - 1 };
      }
      return at.seq === wanted ? at.id : null;
    },
    isAbove: (id) => id !== null && passed.has(id),
    lowest: () => at.seq,
  };
}
