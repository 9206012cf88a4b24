import { fail, ok, type Failure, type Result } from '../failure.ts';
import { parseCommit, type Commit } from '../objects/commit.ts';
import type { GitObject, ObjectId, ObjectType } from '../objects/object.ts';
import { parseRawTree } from '../objects/tree.ts';

/** The graph that a verdict is about, loaded as it is asked for. Bytes must have been held against their id (S5). */
export interface History {
  /** A commit and its content; missing or malformed is a failure. */
  commit(id: ObjectId): Promise<Result<{ readonly commit: Commit; readonly bytes: Uint8Array }>>;
  /** The text of the file `allowed_signers` at the root of this tree; `null` when there is none. */
  signersAt(tree: ObjectId): Promise<Result<string | null>>;
}

const signersFile = 'allowed_signers';

/**
 * The history behind a reader of objects. What is named `allowed_signers` but is no file (a link, a directory)
 * counts as missing; bytes in it that are not UTF-8 spoil their own line only.
 */
export function historyFrom(read: (id: ObjectId) => Promise<Result<GitObject>>): History {
  const texts = new Map<ObjectId, string>();
  const text = async (id: ObjectId): Promise<Result<string>> => {
    const cached = texts.get(id);
    if (cached !== undefined) return ok(cached);
    const blob = await readAs(read, id, 'blob');
    if (!blob.ok) return blob;
    const decoded = new TextDecoder('utf-8', { ignoreBOM: true }).decode(blob.value);
    texts.set(id, decoded);
    return ok(decoded);
  };
  return {
    async commit(id) {
      const bytes = await readAs(read, id, 'commit');
      if (!bytes.ok) return bytes;
      const commit = parseCommit(bytes.value);
      return commit.ok ? ok({ commit: commit.value, bytes: bytes.value }) : fail(refused(id, commit.failure));
    },
    async signersAt(tree) {
      const bytes = await readAs(read, tree, 'tree');
      if (!bytes.ok) return bytes;
      const items = parseRawTree(bytes.value);
      if (!items.ok) return fail(refused(tree, items.failure));
      const item = items.value.find(({ name }) => name === signersFile);
      const isFile = item?.mode === '100644' || item?.mode === '100755';
      return isFile ? text(item.id) : ok(null);
    },
  };
}

async function readAs(
  read: (id: ObjectId) => Promise<Result<GitObject>>,
  id: ObjectId,
  type: ObjectType,
): Promise<Result<Uint8Array>> {
  const object = await read(id);
  if (!object.ok) return object;
  if (object.value.type === type) return ok(object.value.bytes);
  return fail(refused(id, `it is a ${object.value.type}, where a ${type} should be`));
}

function refused(id: ObjectId, cause: string): Failure {
  return {
    kind: 'not-authentic',
    cause,
    where: id,
    remedy: 'push a branch without this object; `git fsck --strict` in a clone shows it',
  };
}
