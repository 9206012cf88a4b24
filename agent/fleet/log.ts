import { ok, type Failure, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { checkLink } from '../../shared/record/chain.ts';
import { pinnedIn } from '../../shared/record/pinned.ts';
import { readRecord, type Pinned, type StateRecord } from '../../shared/record/tip.ts';
import type { Clone } from '../clone-ports.ts';
import { walkChains, type Chain, type Link } from './chains.ts';
import { pinnedThen } from './older.ts';
import type { FleetRefs, Snapshot } from './read.ts';

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

/**
 * The records of these hosts, those of machines that had their names before included. What is wrong with one host's branch hides nobody else's records. A chain is left
 * off once a whole portion of it is older than `from` (milliseconds since the epoch): what is older still may come
 * along, and a clock that was wrong for a while hides nothing.
 */
export async function readLog(
  clone: Clone,
  { states }: FleetRefs,
  snapshot: Pick<Snapshot, 'authority' | 'fleet' | 'earlier'>,
  { hosts, from }: { readonly hosts: readonly string[]; readonly from: number },
): Promise<Result<FleetLog>> {
  const chains = hosts.flatMap((host): Listed[] => {
    const tip = states.get(host);
    const pinned = snapshot.earlier.get(host) ?? pinnedIn(snapshot.fleet, host);
    return tip === undefined ? [] : [{ host, tip, pinned, entries: [], above: null, isGood: true }];
  });
  const all = [...chains];
  for (let open = chains; open.length > 0;) {
    const walked = await walkChains(clone, open, (chain, links) => extend(chain, links, from));
    if (!walked.ok) return walked;
    const below = await olderOf(clone, snapshot, open);
    if (!below.ok) return below;
    open = below.value;
    all.push(...open);
  }
  const dated = chains.flatMap(({ entries }) => inOrder(entries));
  return ok({
    entries: dated.sort((one, other) => other.order - one.order).map(({ entry }) => entry),
    problems: all.flatMap(({ problem }) => problem ?? []),
  });
}

/** What goes on below these chains, in the same lists: the records of the machines before (S8). */
async function olderOf(
  clone: Clone,
  { authority }: Pick<Snapshot, 'authority'>,
  chains: readonly Listed[],
): Promise<Result<Listed[]>> {
  const below = chains.flatMap((chain) => (chain.below === undefined ? [] : [{ chain, tip: chain.below }]));
  const sections = below.map(({ chain: { host, above }, tip }) => ({ host, tip, follower: above?.genesis }));
  const pins = await pinnedThen(clone, authority, sections);
  if (!pins.ok) return pins;
  return ok(
    below.map(({ chain: { host, entries, isGood }, tip }): Listed => {
      const pin = pins.value.get(host);
      const pinned = pin?.ok === true ? pin.value : null;
      return { host, tip, pinned, entries, above: null, isGood: isGood && pinned !== null };
    }),
  );
}

/** One host's records as far as they are read, newest first. */
interface Listed extends Chain {
  readonly pinned: Pinned | null;
  readonly entries: LogEntry[];
  above: StateRecord | null;
  /** Whether every link so far is good: what lies below one that is not, nobody vouches for (S8). */
  isGood: boolean;
  /** Where the machine before goes on, if that is wanted. */
  below?: ObjectId;
  problem?: Failure;
}

/** Goes on to the machine's genesis, to the first commit that is no record at all, or to the end of what is wanted. */
function extend(chain: Listed, links: readonly Link[], from: number): boolean {
  let isNews = false;
  for (const { id, found } of links) {
    const record = found.ok ? readRecord(found.value) : null;
    if (!found.ok || record?.ok !== true) {
      chain.problem = noRecord(chain.host, id, chain.entries.length === 0);
      delete chain.below;
      return false;
    }
    const { pinned, above } = chain;
    chain.isGood &&= pinned !== null && checkLink(found.value, pinned, above).ok;
    chain.above = record.value;
    const entry = entryOf(record.value, chain.host, chain.isGood);
    chain.entries.push(entry);
    isNews ||= !(Date.parse(entry.at) < from);
    if (record.value.replaces !== undefined && entry.seq === 1) chain.below = record.value.replaces;
    if (entry.seq === 0) break;
  }
  if (!isNews) delete chain.below;
  return isNews && chain.above?.seq !== 0;
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
