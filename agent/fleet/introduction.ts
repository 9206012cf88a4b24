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
  head: ObjectId | null,
  remembered: Remembered | null,
): Promise<Result<Introduction>> {
  const told = clone.introduction;
  if (told !== null && !isObjectId(told)) return fail(noCommit(told));
  const known = told ?? remembered?.introduction;
  if (known !== undefined) return ok({ id: known, isFound: false });
  if (head === null) return fail(nothingShown);
  const found = await findIntroduction(clone, head);
  return found.ok ? ok({ id: found.value, isFound: true }) : found;
}

/** A clone keeps to what it was shown first, whichever command it was. */
export async function keep(
  clone: Clone,
  { id, isFound }: Introduction,
  remembered: Remembered | null,
): Promise<void> {
  if (!isFound || remembered !== null) return;
  await clone.memory.save({ introduction: id, authentic: null, seen: new Map() });
}

/** Commits that are read at a time. */
const atOnce = 1024;

/**
 * The oldest commit on the first-parent chain that introduces the fleet which the newest such commit introduces: a
 * repository may have held another fleet before. `enroll` shows the same one.
 */
async function findIntroduction(clone: Clone, head: ObjectId): Promise<Result<ObjectId>> {
  const chain = await clone.firstParents([head]);
  if (!chain.ok) return chain;
  const ids = [...chain.value.keys()];
  let fleet: string | undefined;
  let found: ObjectId | undefined;
  for (let start = 0; start < ids.length; start += atOnce) {
    const portion = ids.slice(start, start + atOnce);
    const objects = await clone.read(portion);
    if (!objects.ok) return objects;
    for (const id of portion) {
      const named = fleetNamedBy(objects.value.get(id)?.bytes);
      fleet ??= named;
      if (named !== undefined && named === fleet) found = id;
    }
  }
  return found === undefined ? fail(noIntroduction(head)) : ok(found);
}

/** What the trailer names that `init` writes. */
function fleetNamedBy(bytes: Uint8Array | undefined): string | undefined {
  const commit = bytes === undefined ? undefined : parseCommit(bytes);
  return commit?.ok === true ? parseMessage(commit.value.message).trailers.get('Autark-Fleet') : undefined;
}

const nothingShown: Failure = {
  kind: 'unexpected',
  cause:
    'nobody told this clone where the fleet begins, and it has no branch of the server that would show it',
  where: 'git config autark.introduction',
  remedy: 'say --introduction COMMIT, or set it to what `autark init` printed',
};

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
