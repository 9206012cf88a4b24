import { ok, type Result } from '../failure.ts';
import type { ObjectId } from '../objects/object.ts';
import type { History, ReadCommit } from './history.ts';
import { openSigners, type Signers } from './signer.ts';

/** What a verdict needs to keep of a commit; the bytes are let go. */
export interface Link {
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  /** The key with a good signature over it, or what is wrong with the signature. */
  readonly signer: Result<string, string>;
}

interface Frame {
  readonly id: ObjectId;
  readonly link: Link;
  /** How many parents were looked at. */
  next: number;
}

/** After so many commits read one by one a history is long, and worth the start of what reads it ahead. */
const long = 64;

/**
 * All commits reachable from `head`, without those where the walk ends and what lies below them. Parents come
 * before their children, in the order of a depth-first search: leaving out a closed part of the history
 * (`ends`) does not change the order of the rest, so the first that breaks a rule is always the same one.
 * No recursion: histories are deeper than stacks.
 */
export async function collect(
  history: Pick<History, 'commit' | 'ahead'>,
  head: ObjectId,
  ends: ReadonlySet<ObjectId>,
): Promise<Result<ReadonlyMap<ObjectId, Link>>> {
  const done = new Map<ObjectId, Link>();
  const seen = new Set<ObjectId>();
  const stack: Frame[] = [];
  const link = openLinks(history, head, ends);
  const enter = async (id: ObjectId): Promise<Result<void>> => {
    if (seen.has(id) || ends.has(id)) return ok(undefined);
    seen.add(id);
    const found = await link(id);
    if (!found.ok) return found;
    stack.push({ id, link: found.value, next: 0 });
    return ok(undefined);
  };
  let entered = await enter(head);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (!entered.ok) return entered;
    const parent = top.link.parents[top.next];
    top.next += 1;
    if (parent !== undefined) {
      entered = await enter(parent);
    } else {
      done.set(top.id, top.link);
      stack.pop();
    }
  }
  return entered.ok ? ok(done) : entered;
}

/**
 * Links by commit, each asked for once. In a long history those to come are read ahead, in whatever order: which
 * commits count, and in which order, is for the walk to say, and it reads for itself what was not handed over.
 */
function openLinks(
  history: Pick<History, 'commit' | 'ahead'>,
  head: ObjectId,
  ends: ReadonlySet<ObjectId>,
): (id: ObjectId) => Promise<Result<Link>> {
  const signers = openSigners();
  const early = new Map<ObjectId, Link>();
  let count = 0;
  return async (id) => {
    count += 1;
    if (count === long) {
      await history.ahead(head, [...ends], (each, read) => early.set(each, linkOf(read, signers)));
    }
    const link = early.get(id);
    if (link !== undefined) {
      early.delete(id);
      return ok(link);
    }
    const read = await history.commit(id);
    return read.ok ? ok(linkOf(read.value, signers)) : read;
  };
}

function linkOf({ commit, bytes }: ReadCommit, signers: Signers): Link {
  const parents = commit.parents.map((parent) => copied(parent));
  return { tree: copied(commit.tree), parents, signer: signers(commit, bytes) };
}

/** A part of a text keeps V8 from letting go of the whole, here of the commit; a copy does not. */
function copied(id: ObjectId): ObjectId {
  return Buffer.from(id, 'latin1').toString('latin1');
}

/**
 * Which of the wanted commits can be reached from `from`, itself included. Looks at the nearest first, and no
 * further than to the last one wanted.
 * @param settled commits from which all that is wanted can be reached: coming to one of them is enough
 */
export async function reachable(
  history: Pick<History, 'commit'>,
  from: ObjectId,
  wanted: ReadonlySet<ObjectId>,
  settled: ReadonlySet<ObjectId> = new Set(),
): Promise<Result<ReadonlySet<ObjectId>>> {
  const found = new Set<ObjectId>();
  const seen = new Set([from]);
  // A set is walked in the order of insertion, also through what is added on the way.
  for (const id of seen) {
    if (settled.has(id)) return ok(wanted);
    if (wanted.has(id)) found.add(id);
    if (found.size === wanted.size) break;
    const read = await history.commit(id);
    if (!read.ok) return read;
    for (const parent of read.value.commit.parents) seen.add(parent);
  }
  return ok(found);
}
