import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail, ok, type Result } from '../../shared/failure.ts';
import { oneLine } from '../../shared/printable.ts';
import type { TreeEntry, Trees } from '../ports.ts';
import { errorCode, fileFailure } from './file-failure.ts';
import { removeTree } from './remove-tree.ts';

/** @param directory absolute; ours alone, removed and made anew by each `write` */
export function openTrees({ directory }: { readonly directory: string }): Trees {
  return {
    async write(entries, seconds) {
      const cleared = await clear(directory);
      if (!cleared.ok) return cleared;
      const written = await writeTree(directory, entries, seconds);
      // Half a tree is of no use, and after a full disk the room is needed.
      if (!written.ok) await removeTree(directory).catch(() => undefined);
      return written;
    },
    remove: () => removeTree(directory),
  };
}

async function clear(directory: string): Promise<Result<void>> {
  try {
    await removeTree(directory);
    await mkdir(dirname(directory), { recursive: true });
    return ok(undefined);
  } catch (error) {
    return fail(fileFailure(error, 'remove the tree of another revision', directory));
  }
}

async function writeTree(
  directory: string,
  entries: AsyncIterable<Result<TreeEntry>>,
  seconds: number,
): Promise<Result<string>> {
  let where = directory;
  try {
    const folders = new Map<string, string>();
    makeFolder(directory);
    folders.set('', directory);
    for await (const entry of entries) {
      if (!entry.ok) return entry;
      const parent = folders.get(parentOf(entry.value.path));
      if (parent === undefined || !isPlain(entry.value.path))
        return fail(misplaced(entry.value.path, directory));
      where = join(directory, entry.value.path);
      writeEntry(where, entry.value, seconds);
      if (entry.value.kind === 'directory') folders.set(entry.value.path, where);
    }
    // Last, for what is written into a folder changes its time; a folder's time does not change its parent's.
    for (const folder of [...folders.values()].reverse()) utimesSync((where = folder), seconds, seconds);
    return ok(directory);
  } catch (error) {
    if (errorCode(error) === null) throw error;
    return fail(fileFailure(error, 'write the verified tree', where));
  }
}

/**
 * Synchronous, for it is several times faster with thousands of small files, and one entry is bounded in size.
 * `O_EXCL` and parents that this very call made mean that no link is ever followed (open(2)).
 */
function writeEntry(path: string, entry: TreeEntry, seconds: number): void {
  switch (entry.kind) {
    case 'directory':
      makeFolder(path);
      return;
    case 'link':
      symlinkSync(entry.target, path);
      lutimesSync(path, seconds, seconds);
      return;
    case 'file':
      writeFile(path, entry.bytes, entry.executable ? 0o755 : 0o644, seconds);
      return;
  }
}

function makeFolder(path: string): void {
  mkdirSync(path, 0o700);
  // Not by mkdir: the umask must have no say.
  chmodSync(path, 0o755);
}

function writeFile(path: string, bytes: Uint8Array, mode: number, seconds: number): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
    fchmodSync(file, mode);
    futimesSync(file, seconds, seconds);
  } finally {
    closeSync(file);
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

/** The walk has refused such names already (S6); this is the last door before the disk. */
function isPlain(path: string): boolean {
  return (
    !path.includes('\0') && path.split('/').every((name) => name !== '' && name !== '.' && name !== '..')
  );
}

function misplaced(path: string, directory: string) {
  return {
    kind: 'unexpected',
    cause: `the tree has an entry at a place that is not a folder inside it: ${oneLine(path)}`,
    where: directory,
    remedy: 'this should have been refused earlier: please report it',
  } as const;
}
