import { ok, type Result } from '../../shared/failure.ts';
import { findingOf, type AuditFinding } from '../../shared/fleet-view/audit-finding.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { checkLink } from '../../shared/record/chain.ts';
import { pinnedIn } from '../../shared/record/pinned.ts';
import { revisionParent, type Pinned, type StateRecord } from '../../shared/record/tip.ts';
import type { Clone } from '../clone-ports.ts';
import { walkChains, type Chain, type Link } from './chains.ts';
import { pinnedThen } from './older.ts';
import type { Snapshot } from './read.ts';

/** The revision that a record names as its parent. */
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
  /** The newest record of the machine before, which the first one of this machine names. */
  replaces?: ObjectId;
  finding?: AuditFinding;
}

/**
 * Checks these state branches link by link, down to their geneses; and what the machines before recorded, each under the
 * key and genesis that were pinned for it then.
 */
export async function auditChains(
  clone: Clone,
  snapshot: Pick<Snapshot, 'authority' | 'fleet' | 'earlier'>,
  tips: ReadonlyMap<string, ObjectId>,
): Promise<Result<readonly AuditedChain[]>> {
  const { authority, fleet, earlier } = snapshot;
  const audited = new Map<string, AuditedChain>();
  let open = [...tips].flatMap(([host, tip]): Walked[] => {
    const pinned = earlier.get(host) ?? pinnedIn(fleet, host);
    return pinned === null ? [] : [walkedFrom(host, tip, pinned)];
  });
  while (open.length > 0) {
    const walked = await walkChains(clone, open, checkPortion);
    if (!walked.ok) return walked;
    for (const chain of open) audited.set(chain.host, together(audited.get(chain.host), chain));
    const below = open.flatMap(({ host, finding, replaces: tip, above }) =>
      finding !== undefined || tip === undefined ? [] : [{ host, tip, follower: above?.genesis }],
    );
    const pins = await pinnedThen(clone, authority, below);
    if (!pins.ok) return pins;
    open = below.flatMap(({ host, tip }): Walked[] => {
      const pin = pins.value.get(host);
      if (pin?.ok === true) return [walkedFrom(host, tip, pin.value)];
      const before = audited.get(host);
      const finding = badLink(
        host,
        tip,
        `what the machine before recorded: ${pin?.failure ?? 'it is not there'}`,
      );
      if (before !== undefined) audited.set(host, { ...before, finding });
      return [];
    });
  }
  return ok([...audited.values()]);
}

function walkedFrom(host: string, tip: ObjectId, pinned: Pinned): Walked {
  return { host, tip, pinned, seconds: new Map(), records: 0, above: null };
}

/** One host's machines, the newest first. */
function together(
  newer: AuditedChain | undefined,
  { host, records, seconds, finding }: Walked,
): AuditedChain {
  const named = [...seconds].map(([parent, record]) => ({ parent, record }));
  return {
    host,
    records: (newer?.records ?? 0) + records,
    seconds: [...(newer?.seconds ?? []), ...named],
    ...(finding === undefined ? {} : { finding }),
  };
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
  const revision = revisionParent(found.commit, record.value);
  if (revision !== undefined && !chain.seconds.has(revision)) chain.seconds.set(revision, id);
  if (record.value.replaces !== undefined) chain.replaces = record.value.replaces;
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
