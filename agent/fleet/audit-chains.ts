import { ok, type Result } from '../../shared/failure.ts';
import { findingOf, type AuditFinding } from '../../shared/fleet-view/audit-finding.ts';
import type { Fleet } from '../../shared/fleet/fleet.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { checkLink } from '../../shared/record/chain.ts';
import { pinnedIn } from '../../shared/record/pinned.ts';
import type { Pinned, StateRecord } from '../../shared/record/tip.ts';
import type { Clone } from '../clone-ports.ts';
import { walkChains, type Chain, type Link } from './chains.ts';

/** A revision that a record names as its second parent. */
export interface SecondParent {
  readonly parent: ObjectId;
  readonly record: ObjectId;
}

/** What was found on one state branch. */
export interface AuditedChain {
  readonly host: string;
  /** How many records are good, from the tip down. */
  readonly records: number;
  /** Newest first, each parent once. */
  readonly seconds: readonly SecondParent[];
  /** The first link that is not good (S8). */
  readonly finding?: AuditFinding;
}

interface Walked extends Chain {
  readonly pinned: Pinned;
  readonly seconds: Map<ObjectId, ObjectId>;
  records: number;
  above: StateRecord | null;
  finding?: AuditFinding;
}

/** Checks these state branches link by link, down to their geneses. */
export async function auditChains(
  clone: Clone,
  fleet: Fleet,
  tips: ReadonlyMap<string, ObjectId>,
): Promise<Result<readonly AuditedChain[]>> {
  const chains = [...tips].flatMap(([host, tip]): Walked[] => {
    const pinned = pinnedIn(fleet, host);
    return pinned === null ? [] : [{ host, tip, pinned, seconds: new Map(), records: 0, above: null }];
  });
  const walked = await walkChains(clone, chains, checkPortion);
  if (!walked.ok) return walked;
  return ok(
    chains.map(({ host, records, seconds, finding }) => ({
      host,
      records,
      seconds: [...seconds].map(([parent, record]) => ({ parent, record })),
      ...(finding === undefined ? {} : { finding }),
    })),
  );
}

function checkPortion(chain: Walked, links: readonly Link[]): boolean {
  for (const { id, found } of links) {
    const problem = found.ok ? takeLink(chain, id, found.value) : found.failure;
    if (problem !== undefined) {
      chain.finding = badLink(chain.host, id, problem);
      return false;
    }
    if (chain.above?.seq === 0) return false;
  }
  return true;
}

function takeLink(chain: Walked, id: ObjectId, found: Parameters<typeof checkLink>[0]): string | undefined {
  const record = checkLink(found, chain.pinned, chain.above);
  if (!record.ok) return record.failure.cause;
  chain.above = record.value;
  chain.records += 1;
  const [, second] = found.commit.parents;
  if (second !== undefined && !chain.seconds.has(second)) chain.seconds.set(second, id);
  return undefined;
}

function badLink(host: string, where: ObjectId, problem: string): AuditFinding {
  return findingOf('S8', {
    kind: 'not-authentic',
    cause: `state/${host} is not good down to its genesis: ${problem}`,
    where,
    remedy:
      'records above this one are the host’s own; ask on the machine what happened, ' +
      'and look for an older clone that still has the true branch',
  });
}
