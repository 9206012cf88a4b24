import { hostView, type HostView } from '../../shared/fleet-view/host-state.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { Clone } from '../clone-ports.ts';
import type { Snapshot } from './read.ts';

/** How many gits count at a time. */
const atOnce = 4;

/** Counts how far each host is behind; one process for each revision that differs from the head, a few at a time. */
export async function distances(
  clone: Clone,
  { claims, head }: Pick<Snapshot, 'claims' | 'head'>,
): Promise<ReadonlyMap<ObjectId, number | null>> {
  const revisions = new Set(
    [...claims.values()].map((claim) => claim.record?.revision).filter((id) => id !== undefined),
  );
  const counted = new Map<ObjectId, number | null>();
  // All counters take from the same iterator.
  const open = revisions.values();
  const count = async (): Promise<void> => {
    for (const id of open) counted.set(id, await clone.distance(id, head));
  };
  await Promise.all(Array.from({ length: atOnce }, count));
  return counted;
}

/** One line a host: those of `fleet.yaml` in its order, then whoever else has a branch, by name. */
export function hostViews(
  { fleet, claims, waiting, head }: Snapshot,
  behind: ReadonlyMap<ObjectId, number | null>,
  now: number,
): readonly HostView[] {
  const strangers = [...claims.keys(), ...waiting.keys()].filter((name) => !fleet.hosts.has(name)).sort();
  return [...new Set([...fleet.hosts.keys(), ...strangers])].map((name) => {
    const claim = claims.get(name) ?? null;
    const revision = claim?.record?.revision;
    return hostView({
      name,
      host: fleet.hosts.get(name) ?? null,
      head,
      claim,
      waiting: waiting.get(name)?.length ?? 0,
      behind: revision === undefined ? null : (behind.get(revision) ?? null),
      now,
    });
  });
}
