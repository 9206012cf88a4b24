import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Fleet } from '../../shared/fleet/fleet.ts';
import { failureOf, parseFleet } from '../../shared/fleet/parse.ts';
import type { Commit } from '../../shared/objects/commit.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { historyFrom } from '../../shared/trust/history.ts';
import { authenticate } from '../../shared/trust/verdict.ts';
import type { Context } from '../context.ts';
import type { Git } from '../git-ports.ts';
import { readCommit, readText } from '../objects/read.ts';

/** A revision that was found authentic, with a valid `fleet.yaml`. */
export interface Verified {
  readonly revision: ObjectId;
  readonly commit: Commit;
  readonly tree: ObjectId;
  readonly fleet: Fleet;
}

/** What a revision is held against (S1, S2). */
export interface Measure {
  readonly introduction: ObjectId;
  /** Revisions that it must descend from besides the introduction. */
  readonly floors: readonly ObjectId[];
  /** Revisions found authentic from this introduction before: their history need not be walked again. */
  readonly known: readonly ObjectId[];
  /** Revisions that descend from all these floors; those that are known if not told. */
  readonly settled?: readonly ObjectId[];
}

/**
 * Whether a head may be deployed: authentic, no step back, and with a `fleet.yaml` that can be read. What is found
 * authentic is accepted, valid or not, and on disk before anything is built from it (S2).
 */
export async function verify(context: Context, head: ObjectId): Promise<Result<Verified>> {
  const { git } = context.effects('verify');
  const { memory, settings, version } = context;
  const { accepted, acceptedUnder } = memory.journal;
  const under = measureName(settings.introduction, settings.floor);
  const known = accepted !== null && acceptedUnder === under ? [accepted] : [];
  const authentic = await isAuthentic(git, head, measureOf(context, known));
  if (!authentic.ok) return authentic;
  if (head !== accepted || acceptedUnder !== under || memory.journal.floors.length > 0) {
    memory.remember({ accepted: head, acceptedUnder: under, floors: [] });
  }
  return readFleet(git, head, { dir: settings.dir, version });
}

/** All floors of this host (S2). What its own state taught it, the accepted revision need not descend from. */
export function measureOf({ memory, settings }: Context, known: readonly ObjectId[]): Measure {
  const { accepted, floors: learnt } = memory.journal;
  const { introduction, floor } = settings;
  const floors = [floor, accepted, ...learnt].filter((each) => each !== undefined && each !== null);
  return { introduction, floors, known, settled: learnt.length === 0 ? known : [] };
}

/** Names a measure: what was accepted under another one is judged again from the beginning. */
export function measureName(introduction: ObjectId, floor: ObjectId | undefined): string {
  return floor === undefined ? introduction : `${introduction} ${floor}`;
}

/** The verdict on a head (S1): every commit since the introduction counts, not only the newest. */
export async function isAuthentic(
  git: Git,
  head: ObjectId,
  { introduction, floors, known, settled = known }: Measure,
): Promise<Result<void>> {
  const passed = { known: new Set(known), settled: new Set(settled) };
  const history = historyFrom(git);
  return authenticate({ introduction, head, floors, ...passed, ...history });
}

/** `fleet.yaml` at an authentic revision. */
export async function readFleet(
  git: Git,
  revision: ObjectId,
  { dir, version }: { readonly dir: string; readonly version: string },
): Promise<Result<Verified>> {
  const read = await readCommit(git, revision);
  if (!read.ok) return read;
  const { commit } = read.value;
  const file = dir === '.' ? 'fleet.yaml' : `${dir}/fleet.yaml`;
  const text = await readText(git, commit.tree, file);
  if (!text.ok) return text;
  if (text.value === null) return fail(noFleet(file, revision));
  const fleet = parseFleet(text.value, { file, version });
  if (!fleet.ok) return fail(failureOf(fleet.failure));
  return ok({ revision, commit, tree: commit.tree, fleet: fleet.value });
}

function noFleet(file: string, revision: ObjectId): Failure {
  return {
    kind: 'invalid',
    cause: `revision ${revision.slice(0, 7)} has no ${file}`,
    where: file,
    remedy: 'put it back and push; the old system runs on',
  };
}
