import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { findingOfRefusal, type AuditFinding } from '../../shared/fleet-view/audit-finding.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { judge, descends, type Refusal } from '../../shared/trust/verdict.ts';
import { historyFrom } from '../../shared/trust/history.ts';
import type { Clone, ObjectReader } from '../clone-ports.ts';
import { withObjects } from './authority.ts';
import { checkContent, type CheckedContent } from './check-content.ts';
import { introductionOf, keep, type Introduction } from './introduction.ts';
import { signedLines } from './signed-lines.ts';

/** What a person wants a revision to be measured by, besides what the clone knows. */
export interface Measures {
  /** Where the fleet begins; absent: as the clone knows it. */
  readonly introduction?: ObjectId;
  /** What hosts have accepted already: the revision must descend from it (S2). */
  readonly floor?: ObjectId;
}

/** A host's verdict on a revision. */
export interface Checked extends CheckedContent {
  readonly introduction: Introduction;
  /** Of the configuration, found authentic just now. */
  readonly commits: number;
}

/**
 * Judges a revision as hosts do: the history (S1 to S3), the floor (S2), the tree that would be written out (S6),
 * `fleet.yaml`, and what it names in the tree. Nothing is fetched, and all that is wrong with the files is told at once.
 */
export async function checkRevision(
  clone: Clone,
  revision: ObjectId,
  { introduction, floor }: Measures,
): Promise<Result<Checked>> {
  const found = await originOf(clone, introduction);
  if (!found.ok) return found;
  return withObjects(clone, async (objects): Promise<Result<Checked>> => {
    const origin = found.value;
    const history = await checkHistory(clone, objects, { introduction: origin.id, revision, floor });
    if (!history.ok) return history;
    const content = await checkContent(objects, revision, origin.id);
    if (!content.ok) return content;
    const findings = [...history.value.findings, ...content.value.findings];
    return ok({ introduction: origin, ...content.value, commits: history.value.commits, findings });
  });
}

/**
 * Where the fleet begins: as it was said, as the clone knows it, or as the server's own branch shows it. What is judged
 * never says by whom it is to be judged.
 */
async function originOf(clone: Clone, said: ObjectId | undefined): Promise<Result<Introduction>> {
  if (said !== undefined) return ok({ id: said, isFound: false });
  const remembered = await clone.memory.load();
  const refs = await clone.remoteRefs();
  const shown = refs.ok ? refs.value.find(({ name }) => name === clone.remote?.branch)?.id : undefined;
  const found = await introductionOf(clone, shown ?? null, remembered);
  if (found.ok) await keep(clone, found.value, remembered);
  return found;
}

interface Line {
  readonly introduction: ObjectId;
  readonly revision: ObjectId;
  readonly floor: ObjectId | undefined;
}

async function checkHistory(
  clone: Clone,
  objects: ObjectReader,
  { introduction, revision, floor }: Line,
): Promise<Result<{ commits: number; findings: readonly AuditFinding[] }>> {
  const history = historyFrom(objects);
  const judged = await judge({ introduction, head: revision, known: new Set() }, history);
  if (!judged.ok) return refused(judged.failure);
  const commits = judged.value.judged.length + 1;
  if (floor === undefined) return ok({ commits, findings: [] });
  const floors = await acceptable(clone, objects, { introduction, floor });
  if (!floors.ok) return floors;
  const higher = await descends({ head: revision, floors: floors.value, links: judged.value.links }, history);
  return higher.ok ? ok({ commits, findings: [] }) : refused(higher.failure);
}

/** What hosts may have accepted of a branch: what is not authentic there may be taken back, and nothing below it. */
async function acceptable(
  clone: Clone,
  objects: ObjectReader,
  { introduction, floor }: Pick<Line, 'introduction'> & { readonly floor: ObjectId },
): Promise<Result<readonly ObjectId[]>> {
  const question = { introduction, head: floor, known: new Set<ObjectId>() };
  const judged = await judge(question, historyFrom(objects));
  if (judged.ok) return ok([floor]);
  if (judged.failure.rule === undefined) return fail(unfetched(floor));
  return signedLines(clone, { introduction, head: floor, base: introduction });
}

function unfetched(where: ObjectId): Failure {
  return {
    kind: 'unexpected',
    cause: 'what the server’s branch holds is not in this clone, so nobody can say what hosts have accepted',
    where,
    remedy: 'run `git fetch`, look at what others pushed, and merge it',
  };
}

/** A clone that lacks objects can give no verdict at all. */
function refused(refusal: Refusal): Result<{ commits: number; findings: readonly AuditFinding[] }> {
  if (refusal.kind !== 'not-authentic') return fail(refusal);
  return ok({ commits: 0, findings: [findingOfRefusal(refusal)] });
}
