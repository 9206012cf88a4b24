import type { Claim } from '../../shared/fleet-view/host-state.ts';
import type { Fleet, Host } from '../../shared/fleet/fleet.ts';
import { fail, ok, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { stepBack, type Seen } from '../../shared/record/remembered.ts';
import { pinnedIn } from '../../shared/record/pinned.ts';
import { checkRecord, readRecord, type StateRecord } from '../../shared/record/tip.ts';
import type { Clone, NamedObject } from '../clone-ports.ts';
import { foundIn } from './state-objects.ts';

/** What a tip says, and whether it is good (S8). */
export function claimOf(
  objects: ReadonlyMap<string, NamedObject>,
  tip: ObjectId,
  fleet: Fleet,
  name: string,
): Claim {
  const found = foundIn(objects, tip);
  if (!found.ok) return { record: null, problem: found.failure };
  const claimed = readRecord(found.value);
  const record = claimed.ok ? claimed.value : null;
  const pinned = pinnedIn(fleet, name);
  if (pinned === null) return { record, problem: 'no key is pinned for it' };
  const checked = checkRecord(found.value, pinned);
  return { record, problem: checked.ok ? null : checked.failure.cause };
}

/** Claims beside what was seen before, and what is to be remembered from now on (S8). */
export interface Compared {
  readonly claims: ReadonlyMap<string, Claim>;
  readonly seen: ReadonlyMap<string, Seen>;
}

/**
 * Whether the server shows less of a host than it did. What was seen stays remembered while it does; hosts that
 * `fleet.yaml` no longer names or that have retired are forgotten.
 */
export async function compare(
  clone: Clone,
  fleet: Fleet,
  claims: ReadonlyMap<string, Claim>,
  before: ReadonlyMap<string, Seen>,
): Promise<Result<Compared>> {
  const good = [...claims].flatMap(([name, { record, problem }]): [string, StateRecord][] =>
    record === null || problem !== null ? [] : [[name, record]],
  );
  const moved = good.filter(([name, record]) => {
    const known = before.get(name);
    return known !== undefined && known.id !== record.id;
  });
  const follows = await following(clone, moved, before);
  if (!follows.ok) return follows;
  const compared = new Map(claims);
  const seen = new Map<string, Seen>();
  for (const [name, host] of fleet.hosts) {
    const known = before.get(name);
    const now = good.find(([each]) => each === name)?.[1] ?? null;
    const problem =
      known === undefined || !concerns(known, host) || (now === null && claims.has(name))
        ? undefined
        : stepBack(known, now, follows.value.has(name));
    if (problem !== undefined) compared.set(name, { record: now, problem });
    const kept = problem === undefined && now !== null ? seenIn(now) : known;
    if (kept !== undefined && concerns(kept, host)) seen.set(name, kept);
  }
  return ok({ claims: compared, seen });
}

/** A host with another genesis is another machine. */
function concerns({ genesis }: Seen, host: Host): boolean {
  return !host.retired && (host.genesis ?? genesis) === genesis;
}

function seenIn({ seq, id, genesis }: StateRecord): Seen | undefined {
  return genesis === undefined ? undefined : { seq, id, genesis };
}

/** The hosts whose tip has what was seen before on its chain; one process for all that moved, none when none did. */
async function following(
  clone: Clone,
  moved: readonly (readonly [string, StateRecord])[],
  before: ReadonlyMap<string, Seen>,
): Promise<Result<ReadonlySet<string>>> {
  const known = await clone.read(moved.flatMap(([name]) => before.get(name)?.id ?? []));
  if (!known.ok) return fail(known.failure);
  const without = [...known.value.keys()];
  const parents = await clone.firstParents(
    moved.map(([, { id }]) => id),
    { without },
  );
  if (!parents.ok) return fail(parents.failure);
  const names = moved.filter(([name, { id }]) => reaches(id, before.get(name)?.id, parents.value));
  return ok(new Set(names.map(([name]) => name)));
}

function reaches(
  tip: ObjectId,
  wanted: ObjectId | undefined,
  parents: ReadonlyMap<ObjectId, ObjectId | null>,
): boolean {
  let id: ObjectId | null = tip;
  while (id !== null && id !== wanted) id = parents.get(id) ?? null;
  return id !== null;
}
