import { ok, type Failure, type Result } from '../../shared/failure.ts';
import { findingOf, type AuditFinding } from '../../shared/fleet-view/audit-finding.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { History } from '../../shared/trust/history.ts';
import { reachable } from '../../shared/trust/walk.ts';
import type { Clone } from '../clone-ports.ts';
import { withHistory } from './authority.ts';
import { auditChains, type AuditedChain, type SecondParent } from './audit-chains.ts';
import { fleetIn, fleetName } from './fleet-file.ts';
import { readFleet, type FleetRefs, type Snapshot } from './read.ts';

/** What was looked at, and what of it is not well. */
export interface Audit {
  readonly snapshot: Snapshot;
  /** Commits of the configuration found authentic, the introduction included. */
  readonly commits: number;
  /** By host: how many records were found good. */
  readonly records: ReadonlyMap<string, number>;
  readonly findings: readonly AuditFinding[];
}

/**
 * Everything that a clone can check: each commit of the configuration since its introduction (S1 to S3), each state
 * branch down to its genesis (S8), and what hosts accepted beside each other and beside the branch shown here (S10).
 * Nothing that was found good before is believed.
 */
export async function auditFleet(clone: Clone, refs: FleetRefs): Promise<Result<Audit>> {
  const read = await readFleet(clone, refs, { isCold: true });
  if (!read.ok) return read;
  const snapshot = read.value;
  const { authority, claims } = snapshot;
  const chains = await auditChains(clone, snapshot, tipsOf(snapshot, refs));
  if (!chains.ok) return chains;
  const authentic = new Set([authority.introduction.id, ...authority.judged]);
  const parents = await strangeParents(clone, snapshot, authentic, chains.value);
  if (!parents.ok) return parents;
  const files = snapshot.stale?.kind === 'invalid' ? [findingOf('fleet.yaml', snapshot.stale)] : [];
  const tips = [...claims].flatMap(([host, { problem }]) =>
    problem === null ? [] : [badBranch(host, problem, refs.states.get(host))],
  );
  return ok({
    snapshot,
    commits: authority.problem === null ? authority.judged.length + 1 : 0,
    records: new Map(chains.value.map(({ host, records }) => [host, records])),
    findings: [
      ...snapshot.findings,
      ...files,
      ...tips,
      ...chains.value.flatMap(({ finding }) => finding ?? []),
      ...parents.value,
      ...missing(snapshot),
    ],
  });
}

/** The tips that are good themselves; the others are findings already. */
function tipsOf({ claims, earlier }: Snapshot, { states }: FleetRefs): ReadonlyMap<string, ObjectId> {
  return new Map([...states].filter(([host]) => earlier.has(host) || claims.get(host)?.problem === null));
}

/** The revision among a record's parents must be authentic (S8). Most are commits of the branch itself; the others are judged one by one. */
async function strangeParents(
  clone: Clone,
  snapshot: Snapshot,
  authentic: Set<ObjectId>,
  chains: readonly AuditedChain[],
): Promise<Result<readonly AuditFinding[]>> {
  const open = chains.flatMap(({ host, seconds }) =>
    seconds.filter(({ parent }) => !authentic.has(parent)).map((second) => ({ host, ...second })),
  );
  if (open.length === 0) return ok([]);
  const { judge } = await import('../../shared/trust/verdict.ts');
  return withHistory(clone, async (history) => {
    const findings = new Map<string, AuditFinding>();
    const parents = new Set(open.map(({ parent }) => parent));
    const earlier = await revisionsBefore(clone, snapshot, parents, history);
    if (!earlier.ok) return earlier;
    for (const id of earlier.value) authentic.add(id);
    for (const { host, parent, record } of open) {
      if (findings.has(host) || authentic.has(parent)) continue;
      const { introduction } = snapshot.authority;
      const question = { introduction: introduction.id, head: parent, known: authentic };
      const judged = await judge(question, history);
      if (judged.ok) for (const id of judged.value.judged) authentic.add(id);
      else findings.set(host, foreignParent(host, { parent, record }, judged.failure));
    }
    return ok([...findings.values()]);
  });
}

/**
 * A fleet that was introduced anew, because every key was lost, has revisions below its introduction. Whoever trusts that
 * trusts what it stands on: nobody could be asked any more.
 */
async function revisionsBefore(
  clone: Clone,
  { authority, fleet }: Snapshot,
  parents: ReadonlySet<ObjectId>,
  history: History,
): Promise<Result<readonly ObjectId[]>> {
  const below = await reachable(history, authority.introduction.id, parents);
  if (!below.ok) return below;
  const objects = await clone.read([...below.value].map(fleetName));
  if (!objects.ok) return objects;
  const isOurs = (id: ObjectId): boolean => {
    const then = fleetIn(objects.value, fleetName(id), id);
    return then.ok && then.value.fleet === fleet.fleet;
  };
  return ok([...below.value].filter(isOurs));
}

function foreignParent(host: string, { parent, record }: SecondParent, why: Failure): AuditFinding {
  return findingOf('S8', {
    kind: 'not-authentic',
    cause: `${host} says that it deployed ${parent}, which is not authentic: ${why.cause}`,
    where: record,
    remedy: 'find out what runs on that machine, as somebody may have taken it over',
  });
}

function badBranch(host: string, problem: string, tip: ObjectId | undefined): AuditFinding {
  return findingOf('S8', {
    kind: 'not-authentic',
    cause: `state/${host}: ${problem}`,
    where: tip ?? `state/${host}`,
    remedy:
      'look at who pushed it; a host that runs replaces what it did not write, and pushes again what is gone',
  });
}

/** A host whose genesis is pinned has been on the server before. */
function missing({ fleet, claims }: Snapshot): readonly AuditFinding[] {
  const names = [...fleet.hosts.values()]
    .filter(({ name, genesis, retired }) => genesis !== undefined && !retired && !claims.has(name))
    .map(({ name }) => name);
  return names.map((host) =>
    badBranch(host, 'it is not on the server, and neither is the genesis that was approved', undefined),
  );
}
