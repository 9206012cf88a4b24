import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { parseCommit, type Commit } from '../../shared/objects/commit.ts';
import type { ObjectId, ObjectType } from '../../shared/objects/object.ts';
import { parseRawTree, parseTree, type TreeItem } from '../../shared/objects/tree.ts';
import type { Found } from '../../shared/record/tip.ts';
import type { ObjectSource } from '../../shared/trust/history.ts';

/** A commit with the bytes that its signature covers. */
export interface ReadCommit {
  readonly commit: Commit;
  readonly bytes: Uint8Array;
}

export async function readCommit(objects: ObjectSource, id: ObjectId): Promise<Result<ReadCommit>> {
  const bytes = await readBytes(objects, id, 'commit');
  if (!bytes.ok) return bytes;
  const commit = parseCommit(bytes.value);
  return commit.ok ? ok({ commit: commit.value, bytes: bytes.value }) : fail(malformed(id, commit.failure));
}

/** A state commit; one without a `status.json` has an empty one, which is not good. */
export async function readFound(objects: ObjectSource, id: ObjectId): Promise<Result<Found>> {
  const read = await readCommit(objects, id);
  if (!read.ok) return read;
  const text = await readText(objects, read.value.commit.tree, 'status.json');
  return text.ok ? ok({ id, ...read.value, statusText: text.value ?? '' }) : text;
}

/** A tree that may be written out: every name in it is text. */
export async function readTree(objects: ObjectSource, id: ObjectId): Promise<Result<readonly TreeItem[]>> {
  const bytes = await readBytes(objects, id, 'tree');
  if (!bytes.ok) return bytes;
  const items = parseTree(bytes.value);
  return items.ok ? items : fail({ ...malformed(id, items.failure), kind: 'invalid' });
}

/** The text of a file in a tree; `null` when there is no such file. */
export async function readText(
  objects: ObjectSource,
  tree: ObjectId,
  path: string,
): Promise<Result<string | null>> {
  const item = await lookUp(objects, tree, path);
  if (!item.ok || item.value === null) return item.ok ? ok(null) : item;
  if (item.value.mode !== '100644' && item.value.mode !== '100755') return ok(null);
  const bytes = await readBytes(objects, item.value.id, 'blob');
  return bytes.ok ? ok(new TextDecoder().decode(bytes.value)) : bytes;
}

/** The entry at a path, such as `hosts/pi/build`, below a tree; `null` when there is none. */
export async function lookUp(
  objects: ObjectSource,
  tree: ObjectId,
  path: string,
): Promise<Result<TreeItem | null>> {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  let found: TreeItem | null = { mode: '40000', name: '', id: tree };
  for (const name of names) {
    if (found.mode !== '40000') return ok(null);
    const bytes: Result<Uint8Array> = await readBytes(objects, found.id, 'tree');
    if (!bytes.ok) return bytes;
    // A neighbour with a name that is no text must not hide this one.
    const items = parseRawTree(bytes.value);
    if (!items.ok) return fail({ ...malformed(found.id, items.failure), kind: 'invalid' });
    found = items.value.find((item) => item.name === name) ?? null;
    if (found === null) return ok(null);
  }
  return ok(found);
}

export async function readBytes(
  objects: ObjectSource,
  id: ObjectId,
  type: ObjectType,
): Promise<Result<Uint8Array>> {
  const object = await objects.read(id);
  if (!object.ok) return object;
  if (object.value.type === type) return ok(object.value.bytes);
  return fail(malformed(id, `it is a ${object.value.type}, not a ${type}`));
}

function malformed(id: ObjectId, problem: string): Failure {
  return {
    kind: 'not-authentic',
    cause: `an object of the configuration is refused: ${problem}`,
    where: id,
    remedy: 'push a revision without it; the host goes on by itself',
  };
}
