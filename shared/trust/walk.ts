import { ok, type Result } from '../failure.ts';
import type { Commit } from '../objects/commit.ts';
import type { ObjectId } from '../objects/object.ts';
import type { History } from './history.ts';
import { commitSigner } from './signer.ts';

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

/**
 * All commits reachable from `head`, without those where the walk ends and what lies below them. Parents come
 * before their children, in the order of a depth-first search: leaving out a closed part of the history
 * (`isEnd`) does not change the order of the rest, so the first that breaks a rule is always the same one.
 * No recursion: histories are deeper than stacks.
 */
export async function collect(
  history: Pick<History, 'commit'>,
  head: ObjectId,
  isEnd: (id: ObjectId) => boolean,
): Promise<Result<ReadonlyMap<ObjectId, Link>>> {
  const done = new Map<ObjectId, Link>();
  const seen = new Set<ObjectId>();
  const stack: Frame[] = [];
  const enter = async (id: ObjectId): Promise<Result<void>> => {
    if (seen.has(id) || isEnd(id)) return ok(undefined);
    seen.add(id);
    const read = await history.commit(id);
    if (!read.ok) return read;
    stack.push({ id, link: linkOf(read.value), next: 0 });
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

function linkOf({ commit, bytes }: { readonly commit: Commit; readonly bytes: Uint8Array }): Link {
  return { tree: commit.tree, parents: commit.parents, signer: commitSigner(commit, bytes) };
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
