import type { ObjectId } from '../objects/object.ts';

/** Two revisions of which neither is the other's ancestor. */
export type Fork = readonly [ObjectId, ObjectId];

/** Commits with their parents, children before parents, as `git rev-list --topo-order` lists them. */
export type Graph = ReadonlyMap<ObjectId, readonly ObjectId[]>;

/**
 * Revisions that were accepted, no later one a descendant of an earlier one.
 * @param graph all that lies between the revisions; one that is not in it lies below all others
 */
export function inLine(revisions: Iterable<ObjectId>, graph: Graph): readonly ObjectId[] {
  const wanted = new Set(revisions);
  const listed = [...graph.keys()].filter((id) => wanted.has(id));
  return [...listed, ...[...wanted].filter((id) => !graph.has(id))];
}

/**
 * Where they part from one line (S10): they are on one exactly when each is an ancestor of the one before it, so two
 * neighbours of which that is not true are a fork.
 */
export function forksIn(line: readonly ObjectId[], graph: Graph): readonly Fork[] {
  return line.flatMap((id, index): Fork[] => {
    const next = line[index + 1];
    return next === undefined || isBelow(next, id, graph) ? [] : [[id, next]];
  });
}

function isBelow(wanted: ObjectId, from: ObjectId, graph: Graph): boolean {
  const seen = new Set([from]);
  // A set is walked in the order of insertion, also through what is added on the way.
  for (const id of seen) {
    if (id === wanted) return true;
    for (const parent of graph.get(id) ?? []) seen.add(parent);
  }
  return false;
}
