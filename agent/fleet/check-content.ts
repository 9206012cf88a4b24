import { ok, type Failure, type Result } from '../../shared/failure.ts';
import { findingOf, type AuditFinding } from '../../shared/fleet-view/audit-finding.ts';
import { checkFiles } from '../../shared/fleet/check-files.ts';
import { parseFleet } from '../../shared/fleet/parse.ts';
import { differences } from '../../shared/secrets/compare.ts';
import {
  findingOfDifference,
  keysOfDifferences,
  warningOfDifference,
} from '../../shared/secrets/findings.ts';
import { version } from '../../shared/version.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { signersProblems } from '../../shared/trust/signers-problems.ts';
import type { ObjectSource } from '../../shared/trust/history.ts';
import { readCommit, readText } from '../objects/read.ts';
import { withPast } from './past-fleets.ts';
import { readSealed } from './sealed.ts';
import { walk } from '../objects/walk.ts';

export interface CheckedContent {
  readonly findings: readonly AuditFinding[];
  /** What a host would only warn of, or fail at in its build. */
  readonly warnings: readonly string[];
}

/**
 * What a revision holds, whoever signed it: `allowed_signers`, the names and modes in its tree (S6), `fleet.yaml` and what
 * that names in the tree. All that is wrong is told at once.
 * @param origin the introduction, or any revision known to be of this fleet: its id never changes
 */
export async function checkContent(
  objects: ObjectSource,
  revision: ObjectId,
  origin: ObjectId,
): Promise<Result<CheckedContent>> {
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
  const sealed = await checkSealed(objects, { revision, tree }, fleet.value);
  if (!sealed.ok) return sealed;
  const entries = refusedEntry === undefined ? files.findings : [refusedEntry, ...files.findings];
  return ok({
    findings: [
      ...signersProblems(signers.value ?? '').map((each) => findingOf('allowed_signers', each)),
      ...entries.map((each) => findingOf(ruleOf(each, refusedEntry), each)),
      ...sealed.value.findings,
    ],
    warnings: [...files.warnings, ...sealed.value.warnings],
  });
}

/** What is sealed to whom, as `fleet.yaml` asks (S11); a file that is not valid asks nothing. */
async function checkSealed(
  objects: ObjectSource,
  { revision, tree }: { readonly revision: ObjectId; readonly tree: ObjectId },
  text: string | null,
): Promise<Result<CheckedContent>> {
  const fleet = parseFleet(text ?? '', { file: 'fleet.yaml', version });
  if (!fleet.ok) return ok({ findings: [], warnings: [] });
  const sealed = await readSealed(objects, tree);
  if (!sealed.ok) {
    return sealed.failure.kind === 'invalid'
      ? ok({ findings: [findingOf('S11', sealed.failure)], warnings: [] })
      : sealed;
  }
  const found = differences(fleet.value, sealed.value);
  const fleets = await withPast(objects, revision, [fleet.value], keysOfDifferences(found));
  return ok({
    findings: found.flatMap((each) => {
      const finding = findingOfDifference(fleets, each);
      return finding === undefined ? [] : [findingOf('S11', finding)];
    }),
    warnings: found.flatMap((each) => warningOfDifference(each) ?? []),
  });
}

async function textAt(
  objects: ObjectSource,
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
  objects: ObjectSource,
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
