import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Fleet } from '../../shared/fleet/fleet.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { checkRecord, readRecord, type Found, type StateRecord } from '../../shared/record/tip.ts';
import type { Clone, NamedObject } from '../ports.ts';
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

/** Every record of these hosts, newest first; within a host the order of its chain, whatever its clock said. */
export async function readLog(
  clone: Clone,
  { states }: FleetRefs,
  fleet: Fleet,
  hosts: readonly string[],
): Promise<Result<readonly LogEntry[]>> {
  const tips = hosts.flatMap((host): [string, ObjectId][] => {
    const tip = states.get(host);
    return tip === undefined ? [] : [[host, tip]];
  });
  const commits = await clone.firstParents(tips.map(([, tip]) => tip));
  if (!commits.ok) return commits;
  const objects = await clone.read(commits.value.flatMap(namesOf));
  if (!objects.ok) return objects;
  const dated: Dated[] = [];
  for (const [host, tip] of tips) {
    const chain = chainOf(objects.value, tip, host, fleet);
    if (!chain.ok) return chain;
    dated.push(...inOrder(chain.value));
  }
  return ok(dated.sort((one, other) => other.order - one.order).map(({ entry }) => entry));
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

/** From the tip to the genesis, or to the first commit that is no record at all. */
function chainOf(
  objects: ReadonlyMap<string, NamedObject>,
  tip: ObjectId,
  host: string,
  fleet: Fleet,
): Result<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (let id: ObjectId | undefined = tip; id !== undefined;) {
    const found = foundIn(objects, id);
    const record = found.ok ? readRecord(found.value) : null;
    if (!found.ok || record?.ok !== true) {
      return entries.length > 0 ? ok(entries) : fail(noRecord(host, id));
    }
    entries.push(entryOf(record.value, host, isGood(found.value, host, fleet)));
    id = found.value.commit.parents[0];
    if (record.value.seq === 0) break;
  }
  return ok(entries);
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

function noRecord(host: string, where: ObjectId): Failure {
  return {
    kind: 'not-authentic',
    cause: `the tip of state/${host} is not a state record`,
    where,
    remedy: 'look at who pushed it; the host itself replaces what it did not write',
  };
}
