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
  const links = openLinks(history, head, ends);
  const isNew = (id: ObjectId): boolean => !seen.has(id) && !ends.has(id);
  let next: ObjectId | undefined = head;
  for (;;) {
    if (next !== undefined && isNew(next)) {
      // Without waiting where nothing is waited for: that alone is a part of the cost of a long history.
      const link = links.early(next) ?? (await links.read(next));
      if (!link.ok) return link;
      seen.add(next);
      stack.push({ id: next, link: link.value, next: 0 });
    }
    const top = stack.at(-1);
    if (top === undefined) return ok(done);
    next = top.link.parents[top.next];
    top.next += 1;
    if (next !== undefined) continue;
    done.set(top.id, top.link);
    stack.pop();
  }
}

/** Links by commit, each asked for once. */
interface Links {
  /** One that was read ahead. */
  early(id: ObjectId): Result<Link> | undefined;
  read(id: ObjectId): Promise<Result<Link>>;
}

/**
 * In a long history the links to come are read ahead, in whatever order: which commits count, and in which order, is
 * for the walk to say, and it reads for itself what was not handed over.
 */
function openLinks(
  history: Pick<History, 'commit' | 'ahead'>,
  head: ObjectId,
  ends: ReadonlySet<ObjectId>,
): Links {
  const signers = openSigners();
  const ahead = new Map<ObjectId, Result<Link>>();
  const early = (id: ObjectId): Result<Link> | undefined => {
    const link = ahead.get(id);
    ahead.delete(id);
    return link;
  };
  let count = 0;
  return {
    early,
    async read(id) {
      count += 1;
      if (count === long) {
        await history.ahead(head, [...ends], (each, read) => ahead.set(each, ok(linkOf(read, signers))));
      }
      const link = early(id);
      if (link !== undefined) return link;
      const read = await history.commit(id);
      return read.ok ? ok(linkOf(read.value, signers)) : read;
    },
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

interface Shortcuts {
  readonly settled?: ReadonlySet<ObjectId> | undefined;
  readonly links?: ReadonlyMap<ObjectId, Pick<Link, 'parents'>> | undefined;
}

/**
 * Which of the wanted commits can be reached from `from`, itself included. Looks at the nearest first, and no
 * further than to the last one wanted.
 * @param shortcuts `settled`: commits from which all that is wanted can be reached, so that coming to one of them is
 * enough; `links`: commits that were read already
 */
export async function reachable(
  history: Pick<History, 'commit'>,
  from: ObjectId,
  wanted: ReadonlySet<ObjectId>,
  { settled, links }: Shortcuts = {},
): Promise<Result<ReadonlySet<ObjectId>>> {
  const found = new Set<ObjectId>();
  const seen = new Set([from]);
  // A set is walked in the order of insertion, also through what is added on the way.
  for (const id of seen) {
    if (settled?.has(id) === true) return ok(wanted);
    if (wanted.has(id)) found.add(id);
    if (found.size === wanted.size) break;
    const link = links?.get(id);
    const read = link === undefined ? await history.commit(id) : ok({ commit: link });
    if (!read.ok) return read;
    for (const parent of read.value.commit.parents) seen.add(parent);
  }
  return ok(found);
}
