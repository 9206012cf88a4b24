import { ok, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { Found } from '../../shared/record/tip.ts';
import type { Clone } from '../clone-ports.ts';
import { foundIn, namesOf } from './state-objects.ts';

/** One host's state branch as it is read, from the tip down. */
export interface Chain {
  readonly host: string;
  readonly tip: ObjectId;
}

/** A commit of a chain, or why it cannot be a record. */
export interface Link {
  readonly id: ObjectId;
  readonly found: Result<Found, string>;
}

/** Takes a portion of a chain, newest first, and says whether more of it is wanted. */
export type Visit<Each extends Chain> = (chain: Each, links: readonly Link[]) => boolean;

/** Hosts that are read together, and commits that are read at a time: what is in memory is bounded. */
const hostsTogether = 64;
const commitsAtOnce = 1024;

/** Walks chains of first parents: one process lists them all, and one reads a portion of each. */
export async function walkChains<Each extends Chain>(
  clone: Clone,
  chains: readonly Each[],
  visit: Visit<Each>,
): Promise<Result<void>> {
  const parents = await clone.firstParents(chains.map(({ tip }) => tip));
  if (!parents.ok) return parents;
  for (let first = 0; first < chains.length; first += hostsTogether) {
    const group = chains.slice(first, first + hostsTogether);
    const read = await walkTogether(clone, group, parents.value, visit);
    if (!read.ok) return read;
  }
  return ok(undefined);
}

type Parents = ReadonlyMap<ObjectId, ObjectId | null>;

async function walkTogether<Each extends Chain>(
  clone: Clone,
  chains: readonly Each[],
  parents: Parents,
  visit: Visit<Each>,
): Promise<Result<void>> {
  let open = chains.map((chain) => ({ chain, next: chain.tip }));
  while (open.length > 0) {
    const size = Math.floor(commitsAtOnce / open.length);
    const portions = open.map(({ chain, next }) => ({ chain, ids: idsFrom(next, size, parents) }));
    const objects = await clone.read(portions.flatMap(({ ids }) => ids.flatMap(namesOf)));
    if (!objects.ok) return objects;
    open = portions.flatMap(({ chain, ids }) => {
      const links = ids.map((id) => ({ id, found: foundIn(objects.value, id) }));
      const next = visit(chain, links) ? parents.get(ids.at(-1) ?? '') : null;
      return next === null || next === undefined ? [] : [{ chain, next }];
    });
  }
  return ok(undefined);
}

/** So many commits of a chain, in its order. */
function idsFrom(tip: ObjectId, size: number, parents: Parents): ObjectId[] {
  const ids: ObjectId[] = [];
  for (let id: ObjectId | null = tip; id !== null && ids.length < size; id = parents.get(id) ?? null)
    ids.push(id);
  return ids;
}
