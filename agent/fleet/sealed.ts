import { fail, ok, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { parseTree } from '../../shared/objects/tree.ts';
import { digestOf, isSealedPath, parseLock } from '../../shared/secrets/readers-lock.ts';
import type { Sealed } from '../../shared/secrets/compare.ts';
import { lockPath, sealedFolder } from '../../shared/secrets/sealed.ts';
import type { ObjectSource } from '../../shared/trust/history.ts';
import type { Clone } from '../clone-ports.ts';
import { lookUp, readBytes, readCommit, readText } from '../objects/read.ts';
import { withObjects } from './authority.ts';

/** The sealed files of a revision, with their bytes. */
export interface SealedTree extends Sealed {
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface Leniency {
  /** Whether a lock that cannot be read counts as an empty one, for what writes it anew. */
  readonly isAnyLock: boolean;
}

/** The sealed files of the commit that is checked out. */
export function sealedAtHead(clone: Clone, leniency?: Leniency): Promise<Result<SealedTree>> {
  return withObjects(clone, async (objects) => {
    const read = await readCommit(objects, clone.head ?? '');
    return read.ok ? readSealed(objects, read.value.commit.tree, leniency) : read;
  });
}

/** What a tree holds below `secrets/`; whoever calls has judged the revision (S12). */
export async function readSealed(
  objects: ObjectSource,
  tree: ObjectId,
  { isAnyLock }: Leniency = { isAnyLock: false },
): Promise<Result<SealedTree>> {
  const text = await readText(objects, tree, lockPath);
  if (!text.ok) return text;
  const lock = text.value === null ? ok(new Map()) : parseLock(text.value);
  if (!lock.ok && !isAnyLock) return lock;
  const files = await filesBelow(objects, tree, sealedFolder);
  if (!files.ok) return files;
  const digests = new Map([...files.value].map(([path, bytes]) => [path, digestOf(bytes)]));
  return ok({ lock: lock.ok ? lock.value : new Map(), digests, files: files.value });
}

/** Regular files alone: a link is nothing that was sealed. */
async function filesBelow(
  objects: ObjectSource,
  tree: ObjectId,
  folder: string,
): Promise<Result<ReadonlyMap<string, Uint8Array>>> {
  const found = new Map<string, Uint8Array>();
  const below = await lookUp(objects, tree, folder);
  if (!below.ok) return below;
  if (below.value?.mode !== '40000') return ok(found);
  const bytes = await readBytes(objects, below.value.id, 'tree');
  if (!bytes.ok) return bytes;
  const items = parseTree(bytes.value);
  if (!items.ok) return fail(unreadable(folder, items.failure));
  for (const { mode, name, id } of items.value) {
    const path = `${folder}/${name}`;
    if (mode === '40000' && folder === sealedFolder) {
      const inner = await filesBelow(objects, tree, path);
      if (!inner.ok) return inner;
      for (const [each, content] of inner.value) found.set(each, content);
    } else if ((mode === '100644' || mode === '100755') && isSealedPath(path)) {
      const content = await readBytes(objects, id, 'blob');
      if (!content.ok) return content;
      found.set(path, content.value);
    }
  }
  return ok(found);
}

function unreadable(where: string, why: string) {
  return {
    kind: 'invalid' as const,
    cause: `the folder cannot be read: ${why}`,
    where,
    remedy: 'restore it from an earlier revision',
  };
}
