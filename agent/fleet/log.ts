import { ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Fleet } from '../../shared/fleet/fleet.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { checkRecord, readRecord, type Found, type StateRecord } from '../../shared/record/tip.ts';
import type { Clone, NamedObject } from '../clone-ports.ts';
import type { FleetRefs } from './read.ts';
import { foundIn, namesOf } from './state-objects.ts';

/** One record as `autark log --json` shows it. */
export interface LogEntry {
  readonly host: string;
  readonly seq: number;
  readonly at: string;
  readonly event: string;
  readonly revision: ObjectId | null;
  readonly attempted: ObjectId | null;
  readonly generation: number | null;
  readonly code: number;
  readonly message: string;
  readonly commit: ObjectId;
  readonly verified: boolean;
}

export interface FleetLog {
  /** Newest first; within a host the order of its chain, whatever its clock said. */
  readonly entries: readonly LogEntry[];
  /** Where a host's chain ended at something that is no record. */
  readonly problems: readonly Failure[];
}

/** Hosts that are read together, and commits that are read at a time: what is in memory is bounded. */
const hostsTogether = 64;
const commitsAtOnce = 1024;

/**
 * The records of these hosts. What is wrong with one host's branch hides nobody else's records. A chain is left
 * off once a whole portion of it is older than `from` (milliseconds since the epoch): what is older still may come
 * along, and a clock that was wrong for a while hides nothing.
 */
export async function readLog(
  clone: Clone,
  { states }: FleetRefs,
  fleet: Fleet,
  { hosts, from }: { readonly hosts: readonly string[]; readonly from: number },
): Promise<Result<FleetLog>> {
  const chains = hosts.flatMap((host): Chain[] => {
    const tip = states.get(host);
    return tip === undefined ? [] : [{ host, entries: [], next: tip }];
  });
  const parents = await clone.firstParents(chains.flatMap(({ next }) => next ?? []));
  if (!parents.ok) return parents;
  for (let first = 0; first < chains.length; first += hostsTogether) {
    const group = chains.slice(first, first + hostsTogether);
    const read = await readChains(clone, group, { parents: parents.value, fleet, from });
    if (!read.ok) return read;
  }
  const dated = chains.flatMap(({ entries }) => inOrder(entries));
  return ok({
    entries: dated.sort((one, other) => other.order - one.order).map(({ entry }) => entry),
    problems: chains.flatMap(({ problem }) => problem ?? []),
  });
}

/** One host's records as far as they are read, newest first. */
interface Chain {
  readonly host: string;
  readonly entries: LogEntry[];
  /** The commit to read next; `null` when there is no more to be had. */
  next: ObjectId | null;
  problem?: Failure;
}

interface Reading {
  readonly parents: ReadonlyMap<ObjectId, ObjectId | null>;
  readonly fleet: Fleet;
  readonly from: number;
}

/** Reads a portion of every chain that has more, with one process, until none has. */
async function readChains(clone: Clone, chains: readonly Chain[], reading: Reading): Promise<Result<void>> {
  for (;;) {
    const open = chains.filter(({ next }) => next !== null);
    if (open.length === 0) return ok(undefined);
    const size = Math.floor(commitsAtOnce / open.length);
    const portions = open.map((chain) => ({ chain, ids: idsFrom(chain.next, size, reading.parents) }));
    const objects = await clone.read(portions.flatMap(({ ids }) => ids.flatMap(namesOf)));
    if (!objects.ok) return objects;
    for (const { chain, ids } of portions) extend(chain, ids, objects.value, reading);
  }
}

/** So many commits of a chain, in its order. */
function idsFrom(tip: ObjectId | null, size: number, parents: Reading['parents']): ObjectId[] {
  const ids: ObjectId[] = [];
  for (let id = tip; id !== null && ids.length < size; id = parents.get(id) ?? null) ids.push(id);
  return ids;
}

/** Goes on to the genesis, to the first commit that is no record at all, or to the end of this portion. */
function extend(
  chain: Chain,
  ids: readonly ObjectId[],
  objects: ReadonlyMap<string, NamedObject>,
  { parents, fleet, from }: Reading,
): void {
  let isNews = false;
  for (const id of ids) {
    chain.next = null;
    const found = foundIn(objects, id);
    const record = found.ok ? readRecord(found.value) : null;
    if (!found.ok || record?.ok !== true) {
      chain.problem = noRecord(chain.host, id, chain.entries.length === 0);
      return;
    }
    const entry = entryOf(record.value, chain.host, isGood(found.value, chain.host, fleet));
    chain.entries.push(entry);
    isNews ||= !(Date.parse(entry.at) < from);
    if (entry.seq === 0) return;
    chain.next = parents.get(id) ?? null;
  }
  if (!isNews) chain.next = null;
}

interface Dated {
  readonly entry: LogEntry;
  readonly order: number;
}

/** No record sorts before the one that it follows: a clock may start in 1970, a chain cannot run backwards. */
function inOrder(chain: readonly LogEntry[]): Dated[] {
  let order = -Infinity;
  return chain
    .toReversed()
    .map((entry) => ({ entry, order: (order = Math.max(order, Date.parse(entry.at))) }))
    .reverse();
}

function isGood(found: Found, name: string, fleet: Fleet): boolean {
  const host = fleet.hosts.get(name);
  if (host?.key === undefined) return false;
  const pinned = { fleet: fleet.fleet, host: name, key: host.key };
  return checkRecord(found, host.genesis === undefined ? pinned : { ...pinned, genesis: host.genesis }).ok;
}

function entryOf(record: StateRecord, host: string, verified: boolean): LogEntry {
  return {
    host,
    seq: record.seq,
    at: record.at,
    event: record.event,
    revision: record.revision ?? null,
    attempted: record.attempted ?? null,
    generation: record.generation ?? null,
    code: record.code,
    message: record.message === '' ? record.subject : record.message,
    commit: record.id,
    verified,
  };
}

function noRecord(host: string, where: ObjectId, isTip: boolean): Failure {
  return {
    kind: 'not-authentic',
    cause: `${isTip ? 'the tip' : 'a commit'} of state/${host} is not a state record`,
    where,
    remedy: 'look at who pushed it; the host itself replaces what it did not write',
  };
}
