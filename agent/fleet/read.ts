import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Claim } from '../../shared/fleet-view/host-state.ts';
import type { Fleet } from '../../shared/fleet/fleet.ts';
import { failureOf } from '../../shared/fleet/findings.ts';
import { parseFleet } from '../../shared/fleet/parse.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { checkRecord, readRecord } from '../../shared/record/tip.ts';
import type { Clone, NamedObject, RemoteRef } from '../clone-ports.ts';
import { version } from '../../shared/version.ts';
import { foundIn, namesOf } from './state-objects.ts';

/** All hosts at once, as a clone knows them. */
export interface Snapshot {
  readonly head: ObjectId;
  readonly fleet: Fleet;
  /** Why the fleet is not the head's own: its `fleet.yaml` cannot be read, and an older one stands in. */
  readonly stale: Failure | null;
  /** By host: the tip of `state/<host>`, or the genesis while there is none. */
  readonly claims: ReadonlyMap<string, Claim>;
  /** Machines that wait, by the name they ask for. */
  readonly waiting: ReadonlyMap<string, readonly RemoteRef[]>;
}

/** What the remote's refs are, sorted by what they mean. */
export interface FleetRefs {
  readonly head: ObjectId;
  /** By host. */
  readonly states: ReadonlyMap<string, ObjectId>;
  readonly waiting: ReadonlyMap<string, readonly RemoteRef[]>;
}

/** The refs as last fetched; a failure when the remote has no configuration branch. */
export async function fleetRefs(clone: Clone): Promise<Result<FleetRefs>> {
  const refs = await clone.remoteRefs();
  if (!refs.ok) return refs;
  const head = refs.value.find((ref) => ref.name === clone.remote?.branch)?.id;
  if (head === undefined) return fail(noBranch(clone));
  const waiting = new Map<string, RemoteRef[]>();
  const states = new Map<string, ObjectId>();
  for (const ref of refs.value) {
    const [kind, host = '', print] = ref.name.split('/');
    if (kind === 'state' && print === undefined) states.set(host, ref.id);
    if (kind === 'enroll' && print !== undefined) waiting.set(host, [...(waiting.get(host) ?? []), ref]);
  }
  return ok({ head, states, waiting });
}

/** Reads the head's `fleet.yaml` and every tip, with one process, and checks each tip (S8). */
export async function readFleet(clone: Clone, refs: FleetRefs): Promise<Result<Snapshot>> {
  const { head, states, waiting } = refs;
  const tips = [...states.values(), ...[...waiting.values()].flat().map((ref) => ref.id)];
  const file = `${head}:fleet.yaml`;
  const objects = await clone.read([file, ...new Set(tips.flatMap(namesOf))]);
  if (!objects.ok) return objects;
  const newest = fleetIn(objects.value, file, head);
  const fleet = newest.ok ? newest : await lastValid(clone, head, newest.failure);
  if (!fleet.ok) return fleet;
  const stale = newest.ok ? null : newest.failure;
  const names = new Set([...fleet.value.hosts.keys(), ...states.keys()]);
  const claims = [...names].flatMap((name): [string, Claim][] => {
    const tip = states.get(name) ?? genesisOf(fleet.value, name, waiting);
    return tip === undefined ? [] : [[name, claimOf(objects.value, tip, fleet.value, name)]];
  });
  return ok({ head, fleet: fleet.value, stale, claims: new Map(claims), waiting });
}

/** How far back an older `fleet.yaml` is looked for, in commits. */
const farthest = 100;

/** A broken head is when people look at the status most: they see the hosts by the newest file that can be read. */
async function lastValid(clone: Clone, head: ObjectId, broken: Failure): Promise<Result<Fleet>> {
  const chain = await clone.firstParents([head], farthest);
  if (!chain.ok) return chain;
  const names = [...chain.value.keys()].map((id) => `${id}:fleet.yaml`);
  const objects = await clone.read(names);
  if (!objects.ok) return objects;
  for (const name of names) {
    const fleet = fleetIn(objects.value, name, head);
    if (fleet.ok) return fleet;
  }
  return fail(broken);
}

function fleetIn(objects: ReadonlyMap<string, NamedObject>, name: string, head: ObjectId): Result<Fleet> {
  const object = objects.get(name);
  if (object?.type !== 'blob') return fail(noFleet(head));
  const parsed = parseFleet(Buffer.from(object.bytes).toString('utf8'), { file: 'fleet.yaml', version });
  return parsed.ok ? parsed : fail(failureOf(parsed.failure));
}

/** A host that was approved and has not pushed yet still has its genesis where it waited. */
function genesisOf(fleet: Fleet, name: string, waiting: FleetRefs['waiting']): ObjectId | undefined {
  const genesis = fleet.hosts.get(name)?.genesis;
  return waiting.get(name)?.find((ref) => ref.id === genesis)?.id;
}

function claimOf(
  objects: ReadonlyMap<string, NamedObject>,
  tip: ObjectId,
  fleet: Fleet,
  name: string,
): Claim {
  const found = foundIn(objects, tip);
  if (!found.ok) return { record: null, problem: found.failure };
  const claimed = readRecord(found.value);
  const record = claimed.ok ? claimed.value : null;
  const host = fleet.hosts.get(name);
  if (host?.key === undefined) return { record, problem: 'no key is pinned for it' };
  const pinned = { fleet: fleet.fleet, host: name, key: host.key };
  const checked = checkRecord(
    found.value,
    host.genesis === undefined ? pinned : { ...pinned, genesis: host.genesis },
  );
  return { record, problem: checked.ok ? null : checked.failure.cause };
}

function noBranch(clone: Clone): Failure {
  const { name = 'origin', branch = clone.branch } = clone.remote ?? {};
  return {
    kind: 'unexpected',
    cause: `the remote ${name} has no branch ${branch}`,
    where: clone.root,
    remedy: `switch to the fleet’s branch, or push it: git push ${name} ${branch}`,
  };
}

function noFleet(where: ObjectId): Failure {
  return {
    kind: 'unexpected',
    cause: 'there is no fleet.yaml at the head of the remote’s branch',
    where,
    remedy: 'run `autark init`, and push',
  };
}
