import type { Stats } from 'node:fs';
import { chmod, lstat, readdir, rmdir, unlink } from 'node:fs/promises';
import { errorCode } from './file-failure.ts';

/**
 * Removes a file, link or whole directory; none there is fine. Copes with directories that nobody may write to.
 * Links are removed, never followed, and what is mounted inside is never entered: it belongs to others, and
 * the removal then fails. Throws the system's error.
 * @param path bytes or text; names in a built system need not be text
 */
export async function removeTree(path: string): Promise<void> {
  const found = await statIfThere(Buffer.from(path));
  if (found !== null) await removeEntry(Buffer.from(path), found, found.dev);
}

async function removeEntry(path: Buffer, found: Stats, device: number): Promise<void> {
  if (!found.isDirectory()) {
    await unlink(path);
    return;
  }
  if (found.dev !== device) throw new Error(`something is mounted at ${path.toString()}`);
  // A directory by lstat(2) just now, so chmod(2) follows no link: nothing of the build runs any more.
  if ((found.mode & 0o700) !== 0o700) await chmod(path, 0o700);
  for (const name of await readdir(path, { encoding: 'buffer' })) {
    const child = childOf(path, name);
    const stat = await statIfThere(child);
    if (stat !== null) await removeEntry(child, stat, device);
  }
  await rmdir(path);
}

/** The path of an entry, in bytes. */
export function childOf(folder: Uint8Array, name: Uint8Array): Buffer {
  return Buffer.concat(folder.length === 0 ? [name] : [folder, Buffer.from('/'), name]);
}

async function statIfThere(path: Buffer): Promise<Stats | null> {
  return lstat(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  });
}
