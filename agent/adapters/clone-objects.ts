import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { objectId, type ObjectId, type ObjectType } from '../../shared/objects/object.ts';
import type { NamedObject } from '../clone-ports.ts';
import { gitFailure, type CloneGit } from './clone-git.ts';

const newline = 0x0a;
const types: readonly string[] = ['commit', 'tree', 'blob', 'tag'] satisfies ObjectType[];

/** Reads many objects with one `git cat-file --batch`; each is hashed, and absent ones are left out. */
export async function readObjects(
  git: CloneGit,
  names: readonly string[],
): Promise<Result<ReadonlyMap<string, NamedObject>>> {
  const found = new Map<string, NamedObject>();
  if (names.length === 0) return ok(found);
  const answer = await git(['cat-file', '--batch'], { input: `${names.join('\n')}\n` });
  if (!answer.ok) return fail(gitFailure('read objects', answer.failure));
  let rest = answer.value;
  for (const name of names) {
    const next = takeObject(rest);
    if (next === null) return fail(broken(name));
    rest = next.rest;
    if (next.object === undefined) continue;
    if (objectId(next.object) !== next.object.id) return fail(broken(name));
    found.set(name, next.object);
  }
  return ok(found);
}

/** The sizes of objects by one `git cat-file --batch-check`. */
export async function sizesOf(
  git: CloneGit,
  ids: readonly ObjectId[],
): Promise<Result<ReadonlyMap<ObjectId, number>>> {
  if (ids.length === 0) return ok(new Map());
  const answer = await git(['cat-file', '--batch-check'], { input: `${ids.join('\n')}\n` });
  if (!answer.ok) return fail(gitFailure('look at objects', answer.failure));
  const lines = answer.value.toString('utf8').matchAll(/^([0-9a-f]{40}) [a-z]+ (\d+)$/gm);
  const sizes = new Map([...lines].map(([, id = '', size]) => [id, Number(size)]));
  const absent = ids.find((id) => !sizes.has(id));
  return absent === undefined ? ok(sizes) : fail(lacking(absent));
}

/** One answer: `ID TYPE SIZE LF BYTES LF`, or `NAME missing LF` (git-cat-file(1), BATCH OUTPUT). */
function takeObject(bytes: Buffer): { readonly object?: NamedObject; readonly rest: Buffer } | null {
  const end = bytes.indexOf(newline);
  if (end < 0) return null;
  const header = /^([0-9a-f]{40}) ([a-z]+) (\d+)$/.exec(bytes.toString('utf8', 0, end));
  if (header === null) return { rest: bytes.subarray(end + 1) };
  const [, id = '', type = '', size = ''] = header;
  const stop = end + 1 + Number(size);
  if (!isType(type) || bytes[stop] !== newline) return null;
  return { object: { id, type, bytes: bytes.subarray(end + 1, stop) }, rest: bytes.subarray(stop + 1) };
}

function isType(text: string): text is ObjectType {
  return types.includes(text);
}

function lacking(where: ObjectId): Failure {
  return {
    kind: 'unexpected',
    cause: 'this clone lacks an object of the history',
    where,
    remedy: 'run `git fsck`, or clone anew',
  };
}

function broken(name: string): Failure {
  return {
    kind: 'unexpected',
    cause: 'an object of this clone is damaged: its bytes are not what its name says',
    where: name,
    remedy: 'run `git fsck`, or clone anew',
  };
}
