import { fail, ok, type Result } from '../../shared/failure.ts';
import { parseCommit } from '../../shared/objects/commit.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { Found } from '../../shared/record/tip.ts';
import type { NamedObject } from '../clone-ports.ts';

/** The names to read for one state commit. */
export function namesOf(id: ObjectId): readonly string[] {
  return [id, statusName(id)];
}

/** A state commit among objects that were read by `namesOf`; the problem is a sentence. */
export function foundIn(objects: ReadonlyMap<string, NamedObject>, id: ObjectId): Result<Found, string> {
  const object = objects.get(id);
  if (object?.type !== 'commit') return fail('it is not a commit of this clone');
  const commit = parseCommit(object.bytes);
  if (!commit.ok) return fail(commit.failure);
  const status = objects.get(statusName(id));
  if (status?.type !== 'blob') return fail('it has no status.json');
  const statusText = Buffer.from(status.bytes).toString('utf8');
  return ok({ id, commit: commit.value, bytes: object.bytes, statusText });
}

function statusName(id: ObjectId): string {
  return `${id}:status.json`;
}
