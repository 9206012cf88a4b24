import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { TreeItem } from '../../shared/objects/tree.ts';
import { nothingSpent, spend } from '../../shared/tree/budget.ts';
import { collisionKey, refusedLink, refusedName } from '../../shared/tree/names.ts';
import type { ObjectSource } from '../../shared/trust/history.ts';
import type { TreeEntry } from '../ports.ts';
import { type Folders, readFolders } from './folders.ts';
import { readBytes, readTree } from './read.ts';

/**
 * Walks a verified tree, parents before children, every object hashed as it is read (S5). Ends with the first
 * entry that must not be written, or once the tree has used up what a tree may (S6).
 */
export async function* walk(objects: ObjectSource, root: ObjectId): AsyncGenerator<Result<TreeEntry>> {
  const folders = await readFolders(objects, root, refused);
  if (!folders.ok) {
    yield folders;
    return;
  }
  let spent = nothingSpent;
  const open: { path: string; id: ObjectId }[] = [{ path: '', id: root }];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    const items = await readFolder(objects, folders.value, folder);
    if (!items.ok) {
      yield items;
      return;
    }
    for (const item of items.value) {
      const path = join(folder.path, item.name);
      const entry = await readEntry(objects, path, item);
      if (!entry.ok) {
        yield entry;
        return;
      }
      const now = spend(spent, { path, bytes: sizeOf(entry.value) });
      if (!now.ok) {
        yield fail(refused(path, now.failure));
        return;
      }
      spent = now.value;
      if (entry.value.kind === 'directory') open.push({ path, id: item.id });
      yield entry;
    }
  }
}

/** A folder's items, none with a name that is refused or that another one could be mistaken for. */
async function readFolder(
  objects: ObjectSource,
  folders: Folders,
  folder: { readonly path: string; readonly id: ObjectId },
): Promise<Result<readonly TreeItem[]>> {
  const known = folders.get(folder.id);
  const items = known === undefined ? await readTree(objects, folder.id) : ok(known);
  if (!items.ok) return items;
  const seen = new Map<string, string>();
  for (const { name } of items.value) {
    const path = join(folder.path, name);
    const problem = refusedName(name);
    if (problem !== undefined) return fail(refused(path, problem));
    const twin = seen.get(collisionKey(name));
    if (twin !== undefined) return fail(refused(path, `elsewhere it is the same file as “${twin}”`));
    seen.set(collisionKey(name), name);
  }
  return items;
}

async function readEntry(objects: ObjectSource, path: string, item: TreeItem): Promise<Result<TreeEntry>> {
  if (item.mode === '40000') return ok({ kind: 'directory', path });
  if (item.mode === '160000') return fail(refused(path, 'it is a submodule, and those are never fetched'));
  const bytes = await readBytes(objects, item.id, 'blob');
  if (!bytes.ok) return bytes;
  if (item.mode !== '120000') {
    return ok({ kind: 'file', path, executable: item.mode === '100755', bytes: bytes.value });
  }
  const target = new TextDecoder().decode(bytes.value);
  const problem = refusedLink(path, target);
  return problem === undefined ? ok({ kind: 'link', path, target }) : fail(refused(path, problem));
}

function sizeOf(entry: TreeEntry): number {
  if (entry.kind === 'directory') return 0;
  return entry.kind === 'file' ? entry.bytes.length : entry.target.length;
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function refused(path: string, reason: string): Failure {
  return {
    kind: 'invalid',
    cause: `the tree cannot be written out: ${reason}`,
    where: path,
    remedy: 'rename or remove it in the repository and push; the old system runs on',
  };
}
