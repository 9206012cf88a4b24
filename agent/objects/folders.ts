import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { TreeItem } from '../../shared/objects/tree.ts';
import { defaultBudget } from '../../shared/tree/budget.ts';
import type { ObjectSource } from '../../shared/trust/history.ts';
import { readTree } from './read.ts';

/** The folders of a tree by their objects: one that occurs many times is here once. */
export type Folders = ReadonlyMap<ObjectId, readonly TreeItem[]>;

/**
 * Reads all folders of a tree, each once, and counts the entries that writing it out would make. A tree of a few
 * objects may have millions (S6): it is refused here, before the first of them costs time and room on the disk. What
 * lies deeper than a tree may is left to whoever walks it.
 * @param refused makes the failure of a path
 */
export async function readFolders(
  objects: ObjectSource,
  root: ObjectId,
  refused: (path: string, reason: string) => Failure,
): Promise<Result<Folders>> {
  const folders = new Map<ObjectId, readonly TreeItem[]>();
  const counted = new Map<ObjectId, number>();
  let read = 0;

  async function count(id: ObjectId, path: string, depth: number): Promise<Result<number>> {
    const before = counted.get(id);
    if (before !== undefined) return ok(before);
    const items = await readTree(objects, id);
    if (!items.ok) return items;
    folders.set(id, items.value);
    read += items.value.length;
    let entries = items.value.length;
    for (const { mode, name, id: child } of items.value) {
      if (Math.max(read, entries) > defaultBudget.entries) return fail(refused(path, tooMany));
      if (mode !== '40000' || depth >= defaultBudget.depth) continue;
      const below = await count(child, path === '' ? name : `${path}/${name}`, depth + 1);
      if (!below.ok) return below;
      entries += below.value;
    }
    if (entries > defaultBudget.entries) return fail(refused(path, tooMany));
    counted.set(id, entries);
    return ok(entries);
  }

  const all = await count(root, '', 0);
  return all.ok ? ok(folders) : all;
}

const tooMany = `the tree has more than ${defaultBudget.entries} entries`;
