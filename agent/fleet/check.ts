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
import { introductionOf, type Introduction } from './introduction.ts';

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
  const remembered = await clone.memory.load();
  const found: Result<Introduction> =
    introduction === undefined
      ? await introductionOf(clone, revision, remembered)
      : ok({ id: introduction, isFound: false });
  if (!found.ok) return found;
  const objects = await clone.objects();
  try {
    const origin = found.value;
    const history = await checkHistory(objects, { introduction: origin.id, revision, floor });
    if (!history.ok) return history;
    const content = await checkContent(objects, revision);
    if (!content.ok) return content;
    const findings = [...history.value.findings, ...content.value.findings];
    return ok({ introduction: origin, ...content.value, commits: history.value.commits, findings });
  } finally {
    await objects.close();
  }
}

interface Line {
  readonly introduction: ObjectId;
  readonly revision: ObjectId;
  readonly floor: ObjectId | undefined;
}

async function checkHistory(
  objects: ObjectReader,
  { introduction, revision, floor }: Line,
): Promise<Result<{ commits: number; findings: readonly AuditFinding[] }>> {
  const history = historyFrom(objects);
  const judged = await judge({ introduction, head: revision, known: new Set() }, history);
  if (!judged.ok) return refused(judged.failure);
  const commits = judged.value.judged.length + 1;
  if (floor === undefined) return ok({ commits, findings: [] });
  // What is not authentic itself, no host has accepted: then it may be taken back.
  const known = new Set(judged.value.judged);
  if (!(await judge({ introduction, head: floor, known }, history)).ok) return ok({ commits, findings: [] });
  const higher = await descends({ head: revision, floors: [floor], links: judged.value.links }, history);
  return higher.ok ? ok({ commits, findings: [] }) : refused(higher.failure);
}

/** A clone that lacks objects can give no verdict at all. */
function refused(refusal: Refusal): Result<{ commits: number; findings: readonly AuditFinding[] }> {
  if (refusal.kind !== 'not-authentic') return fail(refusal);
  return ok({ commits: 0, findings: [findingOfRefusal(refusal)] });
}

async function checkContent(
  objects: ObjectReader,
  revision: ObjectId,
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
  const files = checkFiles(fleet.value, (path) => modes.get(path));
  const entries = refusedEntry === undefined ? files.findings : [refusedEntry, ...files.findings];
  return ok({
    findings: [
      ...complaints(signers.value ?? ''),
      ...entries.map((each) => findingOf(ruleOf(each, refusedEntry), each)),
    ],
    warnings: files.warnings,
  });
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
  return admins.length > 0 ? lines : [...lines, nobody];
}

const nobody = findingOf('allowed_signers', {
  kind: 'invalid',
  cause: 'nobody is granted anything, so whoever could sign above the parents still can, and nobody else',
  where: 'allowed_signers',
  remedy: 'add a line for each admin: `autark admin add NAME --key FILE.pub`',
});
