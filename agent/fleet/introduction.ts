import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { parseCommit } from '../../shared/objects/commit.ts';
import { isObjectId, type ObjectId } from '../../shared/objects/object.ts';
import { oneLine } from '../../shared/printable.ts';
import { parseMessage } from '../../shared/record/message.ts';
import type { Remembered } from '../../shared/record/remembered.ts';
import type { Clone } from '../clone-ports.ts';

/** From which commit on a clone trusts, and how it knows. */
export interface Introduction {
  readonly id: ObjectId;
  /** True when nobody told the clone: it was found on the server's branch, for the first time. */
  readonly isFound: boolean;
}

/**
 * What the person said, else what was remembered, else, once, what the branch itself shows: as with ssh's known hosts,
 * a server that lies from the first moment on is not noticed, one that begins to lie later is.
 */
export async function introductionOf(
  clone: Clone,
  head: ObjectId,
  remembered: Remembered | null,
): Promise<Result<Introduction>> {
  const told = clone.introduction;
  if (told !== null && !isObjectId(told)) return fail(noCommit(told));
  const known = told ?? remembered?.introduction;
  if (known !== undefined) return ok({ id: known, isFound: false });
  const found = await findIntroduction(clone, head);
  return found.ok ? ok({ id: found.value, isFound: true }) : found;
}

/** Commits that are read at a time. */
const atOnce = 1024;

/** The oldest commit on the first-parent chain with the trailer that `init` writes. */
async function findIntroduction(clone: Clone, head: ObjectId): Promise<Result<ObjectId>> {
  const chain = await clone.firstParents([head]);
  if (!chain.ok) return chain;
  const oldestFirst = [...chain.value.keys()].reverse();
  for (let start = 0; start < oldestFirst.length; start += atOnce) {
    const portion = oldestFirst.slice(start, start + atOnce);
    const objects = await clone.read(portion);
    if (!objects.ok) return objects;
    const found = portion.find((id) => introduces(objects.value.get(id)?.bytes));
    if (found !== undefined) return ok(found);
  }
  return fail(noIntroduction(head));
}

function introduces(bytes: Uint8Array | undefined): boolean {
  const commit = bytes === undefined ? undefined : parseCommit(bytes);
  return commit?.ok === true && parseMessage(commit.value.message).trailers.has('Autark-Fleet');
}

function noCommit(told: string): Failure {
  return {
    kind: 'unexpected',
    cause: `the introduction is given as “${oneLine(told)}”, which is not a commit of 40 digits`,
    where: 'git config autark.introduction',
    remedy: 'set it to what `autark init` printed',
  };
}

function noIntroduction(head: ObjectId): Failure {
  return {
    kind: 'not-authentic',
    cause: 'no commit of the configuration branch introduces a fleet',
    where: head,
    remedy: 'ask an admin for the introduction: `git config autark.introduction COMMIT`',
  };
}
