import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { parseCommit, type Commit } from '../../shared/objects/commit.ts';
import { isObjectId, type ObjectId } from '../../shared/objects/object.ts';
import { oneLine } from '../../shared/printable.ts';
import { parseMessage } from '../../shared/record/message.ts';
import { belowFloor } from '../../shared/trust/refusal.ts';
import type { Clone } from '../clone-ports.ts';
import { findAuthority, type Authority } from './authority.ts';
import { keep, type Introduction } from './introduction.ts';
import { signedLines } from './signed-lines.ts';
import { adminsAt, notAnAdmin } from './standing.ts';

/** A tree that is to be signed above the last authentic revision. */
export interface Promotion {
  readonly introduction: Introduction;
  /** How many keys may sign above the base. */
  readonly admins: number;
  /** The last authentic revision. */
  readonly base: ObjectId;
  readonly baseTree: ObjectId;
  readonly from: ObjectId;
  readonly subject: string;
  readonly tree: ObjectId;
  /** What the server's branch holds above the base, which nobody signed; `null` when nothing is to be given up. */
  readonly instead: ObjectId | null;
}

/**
 * What would be promoted. A tree is taken as a whole, so it must hold all that the branch has: the commit descends from
 * the last authentic revision, or from what that one was promoted from. Else an approval, a pause or the removal of
 * an admin would be undone without a word.
 * @param key `TYPE BASE64` of whoever is going to sign
 */
export async function findPromotion(clone: Clone, from: ObjectId, key: string): Promise<Result<Promotion>> {
  const tips = await tipsOf(clone);
  if (!tips.ok) return tips;
  const { ours, theirs } = tips.value;
  const remembered = await clone.memory.load();
  const authority = await findAuthority(clone, theirs ?? ours, remembered);
  if (!authority.ok) return authority;
  const { introduction, problem } = authority.value;
  const line = await lastSigned(clone, authority.value, theirs ?? ours);
  if (!line.ok) return line;
  const base = line.value;
  if (problem === null) await keep(clone, introduction, remembered);
  const unpushed = await strayFrom(clone, { ours, theirs, base });
  if (unpushed !== undefined) return fail(unpushed);
  const admins = await adminsAt(clone, introduction.id, base);
  if (!admins.ok) return admins;
  if (!admins.value.has(key)) return fail(notAnAdmin(key, base));
  const read = await commitsOf(clone, [base, from]);
  if (!read.ok) return read;
  const [baseCommit, fromCommit] = read.value;
  const missing = await missingFrom(clone, { base, baseCommit, from });
  if (missing !== undefined) return fail(missing);
  return ok({
    introduction,
    admins: admins.value.size,
    base,
    baseTree: baseCommit.tree,
    from,
    subject: subjectOf(fromCommit),
    tree: fromCommit.tree,
    instead: theirs === null || theirs === base ? null : theirs,
  });
}

/**
 * The one revision that everything is to stand on. Of two lines that admins signed, neither may be given up; and a
 * branch that was set back is nothing to be promoted (S2).
 */
async function lastSigned(
  clone: Clone,
  { introduction, revision, problem }: Authority,
  head: ObjectId,
): Promise<Result<ObjectId>> {
  if (problem === null) return ok(revision);
  if (problem.rule === 'S2' || problem.rule === undefined) return fail(problem);
  const isBelow = (await clone.distance(head, revision)) === 0;
  if (!isBelow) return fail(belowFloor(head, revision));
  const lines = await signedLines(clone, { introduction: introduction.id, head, base: revision });
  if (!lines.ok) return lines;
  const [only, ...others] = lines.value;
  return only === undefined || others.length > 0 ? fail(several(lines.value)) : ok(only);
}

interface Tips {
  readonly ours: ObjectId;
  /** `null` while the branch was never pushed. */
  readonly theirs: ObjectId | null;
}

async function tipsOf(clone: Clone): Promise<Result<Tips>> {
  const refs = await clone.remoteRefs();
  if (!refs.ok) return refs;
  const theirs = refs.value.find((ref) => ref.name === clone.remote?.branch)?.id ?? null;
  return clone.head === null ? fail(nothingHere(clone.root)) : ok({ ours: clone.head, theirs });
}

/** The branch here moves to the new commit: it must hold nothing that would be lost then. */
async function strayFrom(
  clone: Clone,
  { ours, theirs, base }: Tips & { readonly base: ObjectId },
): Promise<Failure | undefined> {
  const known = [base, ...(theirs === null ? [] : [theirs])];
  const distances = await Promise.all(known.map((id) => clone.distance(id, ours)));
  return distances.some((distance) => distance === 0) ? undefined : hasOwnCommits(clone);
}

async function missingFrom(
  clone: Clone,
  { base, baseCommit, from }: { base: ObjectId; baseCommit: Commit; from: ObjectId },
): Promise<Failure | undefined> {
  if ((await clone.distance(from, base)) === 0) return undefined;
  const before = parseMessage(baseCommit.message).trailers.get('Autark-From');
  const isCovered = before !== undefined && isObjectId(before) && (await clone.distance(from, before)) === 0;
  return isCovered ? undefined : lacks(clone, from, base);
}

async function commitsOf(
  clone: Clone,
  ids: readonly [ObjectId, ObjectId],
): Promise<Result<readonly [Commit, Commit]>> {
  const objects = await clone.read(ids);
  if (!objects.ok) return objects;
  const [base, from] = ids.map((id) => parseCommit(objects.value.get(id)?.bytes ?? new Uint8Array()));
  if (base?.ok === true && from?.ok === true) return ok([base.value, from.value]);
  return fail(noCommit(ids[base?.ok === true ? 1 : 0]));
}

function subjectOf({ message }: Commit): string {
  const { subject } = parseMessage(message.slice(0, 1000));
  return oneLine(subject).replaceAll('"', "'").slice(0, 60);
}

function several(lines: readonly ObjectId[]): Failure {
  return {
    kind: 'not-authentic',
    cause: `the branch joins ${lines.length} lines of signed commits, and to promote above one would give up the others`,
    where: lines.join(', '),
    remedy:
      'join them by a merge that you sign: `git switch --detach` to the one, `git merge` the other; look at both before',
  };
}

function lacks({ branch }: Clone, from: ObjectId, base: ObjectId): Failure {
  return {
    kind: 'unexpected',
    cause: `${from.slice(0, 7)} was made without what ${branch} got meanwhile, and would undo it`,
    where: base,
    remedy: `merge it there first: \`git merge ${base}\` on the branch that people merge on, and promote that`,
  };
}

function hasOwnCommits({ branch, root }: Clone): Failure {
  return {
    kind: 'unexpected',
    cause: `${branch} has commits here that the server lacks`,
    where: root,
    remedy:
      'push them, or put them on a branch of their own: `git branch mine`, `git reset --keep @{upstream}`',
  };
}

function nothingHere(where: string): Failure {
  return { kind: 'unexpected', cause: 'nothing is committed here', where, remedy: 'run `git pull` first' };
}

function noCommit(where: ObjectId): Failure {
  return {
    kind: 'invalid',
    cause: 'this commit cannot be read as hosts would read it',
    where,
    remedy: 'bring its changes in by a commit of your own: `git cherry-pick`, or `git merge --squash`',
  };
}
