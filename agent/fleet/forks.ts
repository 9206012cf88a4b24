import { ok, type Result } from '../../shared/failure.ts';
import { findingOf, type AuditFinding } from '../../shared/fleet-view/audit-finding.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { forksIn, inLine } from '../../shared/record/forks.ts';
import type { Clone } from '../clone-ports.ts';

/** Which host accepted which revision; `where` is the record that says so. */
export interface Accepted {
  readonly host: string;
  readonly where: ObjectId;
  readonly revision: ObjectId;
}

/**
 * S10: all that hosts accepted must lie on one line, and the branch as it is shown here must hold all of it: what it
 * lacks was taken back, or is shown to others only.
 * @param here the newest authentic revision that the server shows here
 */
export async function findForks(
  clone: Clone,
  here: ObjectId,
  accepted: readonly Accepted[],
): Promise<Result<readonly AuditFinding[]>> {
  const first = new Map(accepted.toReversed().map((each) => [each.revision, each]));
  const revisions = [...new Set([here, ...first.keys()])];
  if (revisions.length === 1) return ok([]);
  const objects = await clone.read(revisions);
  if (!objects.ok) return objects;
  const known = revisions.filter((id) => objects.value.get(id)?.type === 'commit');
  const graph = await clone.between(known);
  if (!graph.ok) return graph;
  const line = inLine(known, graph.value);
  const forks = forksIn(line, graph.value).flatMap(([one, other]) => {
    const [left, right] = [first.get(one), first.get(other)];
    return left === undefined || right === undefined ? [] : [forked(left, right)];
  });
  const hidden = [...first.values()].filter(({ revision }) => !known.includes(revision));
  const [newest] = line;
  const ahead = newest === undefined || newest === here ? undefined : first.get(newest);
  return ok([...forks, ...hidden.map(lacking), ...(ahead === undefined ? [] : [lacking(ahead)])]);
}

function forked(one: Accepted, other: Accepted): AuditFinding {
  const told = ({ host, revision }: Accepted) => `${host} accepted ${revision}`;
  return findingOf('S10', {
    kind: 'not-authentic',
    cause: `hosts were shown two branches: ${told(one)}, and ${told(other)}, and neither descends from the other`,
    where: one.where,
    remedy:
      'find out who signed them and what the server shows to whom; ' +
      'to bring them together, `git merge -s ours` one of them into the other, and push',
  });
}

function lacking({ host, where, revision }: Accepted): AuditFinding {
  return findingOf('S10', {
    kind: 'not-authentic',
    cause: `${host} accepted ${revision}, and the branch that is shown here does not hold it`,
    where,
    remedy:
      'if it was taken back, push it again or `git merge -s ours` it; if not, the server shows two branches',
  });
}
