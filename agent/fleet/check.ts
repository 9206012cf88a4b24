import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { findingOf, findingOfRefusal, type AuditFinding } from '../../shared/fleet-view/audit-finding.ts';
import { checkFiles } from '../../shared/fleet/check-files.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { judge, descends, type Refusal } from '../../shared/trust/verdict.ts';
import { parseAllowedSigners } from '../../shared/trust/allowed-signers.ts';
import { historyFrom } from '../../shared/trust/history.ts';
import type { Clone, ObjectReader } from '../clone-ports.ts';
import { readCommit, readText } from '../objects/read.ts';
import { walk } from '../objects/walk.ts';
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
export interface Checked {
  readonly introduction: Introduction;
  /** Of the configuration, found authentic just now. */
  readonly commits: number;
  readonly findings: readonly AuditFinding[];
  /** What a host would only warn of. */
  readonly warnings: readonly string[];
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
  const objects = await clone.objects();
  try {
    const origin = found.value;
    const history = await checkHistory(clone, objects, { introduction: origin.id, revision, floor });
    if (!history.ok) return history;
    const content = await checkContent(objects, revision, origin.id);
    if (!content.ok) return content;
    const findings = [...history.value.findings, ...content.value.findings];
    return ok({ introduction: origin, ...content.value, commits: history.value.commits, findings });
  } finally {
    await objects.close();
  }
}

/** The same of what a revision holds alone, whoever signed it, for one that is to be signed above `base`. */
export async function checkTree(
  clone: Clone,
  revision: ObjectId,
  base: ObjectId,
): Promise<Result<Pick<Checked, 'findings' | 'warnings'>>> {
  const objects = await clone.objects();
  try {
    return await checkContent(objects, revision, base);
  } finally {
    await objects.close();
  }
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
  const isKnown = clone.introduction !== null || remembered !== null;
  if (!isKnown && shown === undefined) return fail(unknownOrigin);
  const found = await introductionOf(clone, shown ?? '', remembered);
  if (found.ok) await keep(clone, found.value, remembered);
  return found;
}

const unknownOrigin: Failure = {
  kind: 'unexpected',
  cause:
    'nobody told this clone where the fleet begins, and it has no branch of the server that would show it',
  where: 'git config autark.introduction',
  remedy: 'say --introduction COMMIT, or set it to what `autark init` printed',
};

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

async function checkContent(
  objects: ObjectReader,
  revision: ObjectId,
  origin: ObjectId,
): Promise<Result<Pick<Checked, 'findings' | 'warnings'>>> {
  const read = await readCommit(objects, revision);
  if (!read.ok) return read;
  const { tree } = read.value.commit;
  const modes = new Map<string, string>();
  const refusedEntry = await walkOver(objects, tree, modes);
  const [signers, fleet] = [
    await readText(objects, tree, 'allowed_signers'),
    await readText(objects, tree, 'fleet.yaml'),
  ];
  if (!signers.ok) return signers;
  if (!fleet.ok) return fleet;
  // An introduction that is not here is what the history is about: it says so.
  const first = await textAt(objects, origin, 'fleet.yaml');
  const files = checkFiles(fleet.value, first.ok ? first.value : null, (path) => modes.get(path));
  const entries = refusedEntry === undefined ? files.findings : [refusedEntry, ...files.findings];
  return ok({
    findings: [
      ...complaints(signers.value ?? ''),
      ...entries.map((each) => findingOf(ruleOf(each, refusedEntry), each)),
    ],
    warnings: files.warnings,
  });
}

async function textAt(
  objects: ObjectReader,
  revision: ObjectId,
  path: string,
): Promise<Result<string | null>> {
  const read = await readCommit(objects, revision);
  return read.ok ? readText(objects, read.value.commit.tree, path) : read;
}

function ruleOf(failure: Failure, refusedEntry: Failure | undefined): string {
  return failure === refusedEntry ? 'S6' : 'fleet.yaml';
}

/** Notes the mode of every file and folder; the first entry that may not be written out ends it. */
async function walkOver(
  objects: ObjectReader,
  tree: ObjectId,
  modes: Map<string, string>,
): Promise<Failure | undefined> {
  for await (const entry of walk(objects, tree)) {
    if (!entry.ok) return entry.failure;
    const { kind, path } = entry.value;
    modes.set(path, kind === 'file' ? (entry.value.executable ? 'program' : 'file') : kind);
  }
  return undefined;
}

/** A line that grants nothing is mostly a slip; where no line grants anything, nobody could sign above it. */
function complaints(text: string): readonly AuditFinding[] {
  const { admins, complaints: slips } = parseAllowedSigners(text);
  const lines = slips.map(({ line, reason }) =>
    findingOf('allowed_signers', {
      kind: 'invalid',
      cause: `the line grants nothing: ${reason}`,
      where: `allowed_signers:${line}`,
      remedy: 'mend or remove the line',
    }),
  );
  const hidden = text.includes('\0') ? [withNul] : [];
  return [...lines, ...hidden, ...(admins.length > 0 ? [] : [nobody])];
}

/** Git and most programs show such a file as binary, or not beyond it: whoever looks at it misses lines. */
const withNul = findingOf('allowed_signers', {
  kind: 'invalid',
  cause: 'there is a NUL in it, so that people are not shown what hosts read',
  where: 'allowed_signers',
  remedy: 'look at it with `cat -v`, and remove what does not belong there',
});

const nobody = findingOf('allowed_signers', {
  kind: 'invalid',
  cause: 'nobody is granted anything, so whoever could sign above the parents still can, and nobody else',
  where: 'allowed_signers',
  remedy: 'add a line for each admin: `autark admin add NAME --key FILE.pub`',
});
