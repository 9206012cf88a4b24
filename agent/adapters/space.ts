import { statfs } from 'node:fs/promises';

/** Less than this is too little to write a journal, a record and a tree, or to build anything. */
const leastSpace = 1024 * 1024;

/**
 * Whether a file system has no room left to work with: space as it gives it to ordinary users, and inodes where it
 * counts them. One that cannot be asked is not full.
 * @param least bytes below which nothing can be done
 */
export async function isFull(folder: string, least = leastSpace): Promise<boolean> {
  const space = await statfs(folder).catch(() => null);
  if (space === null) return false;
  return space.bavail * space.bsize < least || (space.files > 0 && space.ffree === 0);
}
