import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { findingOfRefusal, type AuditFinding } from '../../shared/fleet-view/audit-finding.ts';
import type { Claim } from '../../shared/fleet-view/host-state.ts';
import type { Fleet } from '../../shared/fleet/fleet.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { pinnedIn } from '../../shared/record/pinned.ts';
import type { Remembered, Seen } from '../../shared/record/remembered.ts';
import type { Pinned } from '../../shared/record/tip.ts';
import type { Clone, RemoteRef } from '../clone-ports.ts';
import { findAuthority, type Authority, type Thoroughness } from './authority.ts';
import { claimOf, compare } from './claims.ts';
import { fleetIn, fleetName } from './fleet-file.ts';
import { findForks, type Accepted } from './forks.ts';
import { pinnedThen } from './older.ts';
import { namesOf } from './state-objects.ts';

/** All hosts at once, as a clone knows them. */
export interface Snapshot {
  readonly head: ObjectId;
  readonly fleet: Fleet;
  readonly authority: Authority;
  /** Why the fleet is not the head's own: that is not authentic or not valid, and an older one stands in. */
  readonly stale: Failure | null;
  /** What is not well with the configuration branch, or between hosts. */
  readonly findings: readonly AuditFinding[];
  /** By host: the tip of `state/<host>`, or the genesis while there is none. */
  readonly claims: ReadonlyMap<string, Claim>;
  /** Hosts whose branch still shows the machine before, and what was pinned for that. */
  readonly earlier: ReadonlyMap<string, Pinned>;
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

/**
 * Reads every tip with one process and checks it against what an authentic revision pins (S8), and compares what the
 * server shows with what it showed before and with what hosts accepted (S10).
 */
export async function readFleet(
  clone: Clone,
  refs: FleetRefs,
  thoroughness?: Thoroughness,
): Promise<Result<Snapshot>> {
  const { head, waiting } = refs;
  const remembered = await clone.memory.load();
  const authority = await findAuthority(clone, head, remembered, thoroughness);
  if (!authority.ok) return authority;
  const read = await readTips(clone, refs, authority.value);
  if (!read.ok) return read;
  const { fleet, stale } = read.value;
  const sorted = await setApart(clone, authority.value, read.value, refs);
  if (!sorted.ok) return sorted;
  const { claims, earlier } = sorted.value;
  const before = remembered?.seen ?? new Map<string, Seen>();
  const compared = await compare(clone, fleet, claims, before);
  if (!compared.ok) return compared;
  const forks = await findForks(clone, authority.value.revision, acceptedBy(compared.value.claims));
  if (!forks.ok) return forks;
  await clone.memory.save(rememberedNow(remembered, authority.value, compared.value.seen));
  const findings = [...headFindings(authority.value), ...forks.value];
  const snapshot = { head, authority: authority.value, fleet, stale, findings, earlier, waiting };
  return ok({ ...snapshot, claims: compared.value.claims });
}

interface Tips {
  readonly fleet: Fleet;
  readonly stale: Failure | null;
  readonly claims: ReadonlyMap<string, Claim>;
  /** What a host that has not pushed yet is known by. */
  readonly beginnings: ReadonlyMap<string, Claim>;
}

async function readTips(
  clone: Clone,
  { states, waiting }: FleetRefs,
  { revision, problem }: Authority,
): Promise<Result<Tips>> {
  const tips = [...states.values(), ...[...waiting.values()].flat().map((ref) => ref.id)];
  const file = fleetName(revision);
  const objects = await clone.read([file, ...new Set(tips.flatMap(namesOf))]);
  if (!objects.ok) return objects;
  const newest = fleetIn(objects.value, file, revision);
  const fleet = newest.ok ? newest : await lastValid(clone, revision, newest.failure);
  if (!fleet.ok) return fleet;
  const names = new Set([...fleet.value.hosts.keys(), ...states.keys()]);
  const claimed = (tipOf: (name: string) => ObjectId | undefined): ReadonlyMap<string, Claim> =>
    new Map(
      [...names].flatMap((name): [string, Claim][] => {
        const tip = tipOf(name);
        return tip === undefined ? [] : [[name, claimOf(objects.value, tip, fleet.value, name)]];
      }),
    );
  const beginnings = claimed((name) => genesisOf(fleet.value, name, waiting));
  const claims = new Map([...beginnings, ...claimed((name) => states.get(name))]);
  const stale = problem ?? (newest.ok ? null : newest.failure);
  return ok({ fleet: fleet.value, stale, claims, beginnings });
}

/**
 * A host that another machine is now, and whose branch the new one has not written yet, shows the records of the old one:
 * they are good as such, and say nothing of the host as it is pinned today.
 */
async function setApart(
  clone: Clone,
  authority: Authority,
  { fleet, claims, beginnings }: Tips,
  { states }: FleetRefs,
): Promise<Result<Pick<Snapshot, 'claims' | 'earlier'>>> {
  const doubtful = [...claims].flatMap(([host, { problem }]) => {
    const tip = states.get(host);
    return problem === null || tip === undefined || pinnedIn(fleet, host) === null ? [] : [{ host, tip }];
  });
  const pins = await pinnedThen(clone, authority, doubtful);
  if (!pins.ok) return pins;
  const earlier = new Map(
    [...pins.value].flatMap(([host, pin]) => (pin.ok ? [[host, pin.value] as const] : [])),
  );
  const others = [...claims].filter(([host]) => !earlier.has(host));
  const own = [...beginnings].filter(([host]) => earlier.has(host));
  return ok({ claims: new Map([...others, ...own]), earlier });
}

/** What hosts with a good tip accepted. */
function acceptedBy(claims: ReadonlyMap<string, Claim>): readonly Accepted[] {
  return [...claims].flatMap(([host, { record, problem }]): Accepted[] => {
    const revision = record?.status.accepted ?? null;
    const isGood = record !== null && problem === null;
    return isGood && revision !== null ? [{ host, where: record.id, revision }] : [];
  });
}

function headFindings({ problem }: Authority): readonly AuditFinding[] {
  return problem === null ? [] : [findingOfRefusal(problem)];
}

function rememberedNow(
  before: Remembered | null,
  { introduction, revision, problem }: Authority,
  seen: Remembered['seen'],
): Remembered {
  const isSame = before?.introduction === introduction.id;
  const authentic = problem === null ? revision : isSame ? before.authentic : null;
  return { introduction: introduction.id, authentic, seen };
}

/** How far back an older `fleet.yaml` is looked for, in commits. */
const farthest = 100;

/** A broken head is when people look at the status most: they see the hosts by the newest file that can be read. */
async function lastValid(clone: Clone, head: ObjectId, broken: Failure): Promise<Result<Fleet>> {
  const chain = await clone.firstParents([head], { limit: farthest });
  if (!chain.ok) return chain;
  const names = [...chain.value.keys()].map(fleetName);
  const objects = await clone.read(names);
  if (!objects.ok) return objects;
  for (const name of names) {
    const fleet = fleetIn(objects.value, name, head);
    if (fleet.ok) return fleet;
  }
  return fail(broken);
}

/** A host that was approved and has not pushed yet still has its genesis where it waited. */
function genesisOf(fleet: Fleet, name: string, waiting: FleetRefs['waiting']): ObjectId | undefined {
  const genesis = fleet.hosts.get(name)?.genesis;
  return waiting.get(name)?.find((ref) => ref.id === genesis)?.id;
}

function noBranch(clone: Clone): Failure {
  const { name = 'origin', branch = clone.branch } = clone.remote ?? {};
  return {
    kind: 'unexpected',
    cause: `the remote ${name} has no branch ${branch}`,
    where: clone.root,
    remedy: `switch to the fleet’s branch (git switch); only a fleet that was never pushed begins with: git push ${name} ${branch}`,
  };
}
