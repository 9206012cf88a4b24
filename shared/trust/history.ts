import { fail, ok, type Failure, type Result } from '../failure.ts';
import { parseCommit, type Commit } from '../objects/commit.ts';
import type { GitObject, ObjectId, ObjectType } from '../objects/object.ts';
import { findRawItem } from '../objects/tree.ts';

/** A commit and its content. */
export interface ReadCommit {
  readonly commit: Commit;
  readonly bytes: Uint8Array;
}

/** The graph that a verdict is about, loaded as it is asked for. Bytes must have been held against their id (S5). */
export interface History {
  /** Missing or malformed is a failure. */
  commit(id: ObjectId): Promise<Result<ReadCommit>>;
  /** The text of the file `allowed_signers` at the root of this tree; `null` when there is none. */
  signersAt(tree: ObjectId): Promise<Result<string | null>>;
  /** The same without waiting, where all that it takes was read before; else `undefined`. */
  signersRead(tree: ObjectId): string | null | undefined;
  /**
   * Hands over commits between `head` and `bases`, as many as it can and in any order, for a walk that is going to
   * need them all; it also spares `signersAt` the reading of their trees. What is left out is asked for one by one.
   */
  ahead(
    head: ObjectId,
    bases: readonly ObjectId[],
    take: (id: ObjectId, read: ReadCommit) => void,
  ): Promise<void>;
}

/** Objects, which must have been held against their ids (S5). */
export interface ObjectSource {
  readonly read: (id: ObjectId) => Promise<Result<GitObject>>;
  /** Commits and their trees, as `History.ahead` hands them over. Without it they are read one by one. */
  readonly readAhead?: (
    head: ObjectId,
    bases: readonly ObjectId[],
    take: (id: ObjectId, object: GitObject) => void,
  ) => Promise<void>;
}

const signersFile = 'allowed_signers';

/**
 * The history behind a source of objects. What is named `allowed_signers` but is no file (a link, a directory)
 * counts as missing; bytes in it that are not UTF-8 spoil their own line only.
 */
export function historyFrom({ read, readAhead }: ObjectSource): History {
  const texts = new Map<ObjectId, string>();
  /** By tree, the blob of its `allowed_signers`: of a whole tree no more need be kept. */
  const blobs = new Map<ObjectId, ObjectId | null>();
  const text = async (id: ObjectId): Promise<Result<string>> => {
    const cached = texts.get(id);
    if (cached !== undefined) return ok(cached);
    const blob = await readAs(read, id, 'blob');
    if (!blob.ok) return blob;
    const decoded = new TextDecoder('utf-8', { ignoreBOM: true }).decode(blob.value);
    texts.set(id, decoded);
    return ok(decoded);
  };
  const blobIn = async (tree: ObjectId): Promise<Result<ObjectId | null>> => {
    const cached = blobs.get(tree);
    if (cached !== undefined) return ok(cached);
    const bytes = await readAs(read, tree, 'tree');
    if (!bytes.ok) return bytes;
    const blob = signersIn(bytes.value);
    if (!blob.ok) return fail(refused(tree, blob.failure));
    blobs.set(tree, blob.value);
    return blob;
  };
  return {
    async commit(id) {
      const bytes = await readAs(read, id, 'commit');
      if (!bytes.ok) return bytes;
      const commit = parseCommit(bytes.value);
      return commit.ok ? ok({ commit: commit.value, bytes: bytes.value }) : fail(refused(id, commit.failure));
    },
    async signersAt(tree) {
      const blob = await blobIn(tree);
      if (!blob.ok) return blob;
      return blob.value === null ? ok(null) : text(blob.value);
    },
    signersRead(tree) {
      const blob = blobs.get(tree);
      return typeof blob === 'string' ? texts.get(blob) : blob;
    },
    async ahead(head, bases, take) {
      await readAhead?.(head, bases, (id, { type, bytes }) => {
        // Whatever is wrong with one is found, and said, when it is asked for.
        if (type === 'commit') {
          const commit = parseCommit(bytes);
          if (commit.ok) take(id, { commit: commit.value, bytes });
        } else if (type === 'tree') {
          const blob = signersIn(bytes);
          if (blob.ok) blobs.set(id, blob.value);
        }
      });
    },
  };
}

function signersIn(tree: Uint8Array): Result<ObjectId | null, string> {
  const found = findRawItem(tree, signersFile);
  if (!found.ok) return found;
  const item = found.value;
  const isFile = item?.mode === '100644' || item?.mode === '100755';
  return ok(isFile ? item.id : null);
}

async function readAs(
  read: ObjectSource['read'],
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
