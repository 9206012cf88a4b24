import { lstat, readFile } from 'node:fs/promises';
import { type Holder, parseHolder } from '../../shared/cycle/parse-holder.ts';
import { errorCode } from './file-failure.ts';
import { isAlive } from './proc.ts';

/** One lock file as found: `id` names it for good; `holder` is `null` when nobody alive holds it. */
export interface Found {
  readonly id: string;
  readonly holder: Holder | null;
}

/**
 * Reads a lock file; `null` when there is none. A file that is not a lock's is nobody's: a lock appears by
 * link(2) with its whole content, so within one boot it is never half there, and what a power cut leaves
 * of it (it is not synced) belongs to a process that the power cut has ended.
 */
export async function readLock(path: string): Promise<Found | null> {
  const holder = parseHolder(await textOf(path));
  if (holder === null) return nobodys(path);
  return { id: holder.id, holder: isAlive(holder) ? holder : null };
}

/** Empty when there is none, or when it is a link that leads nowhere. */
async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  });
}

/** Named by inode and time; a real lock never has such a name, so that a reused inode does no harm. */
async function nobodys(path: string): Promise<Found | null> {
  try {
    const { ino, mtimeNs } = await lstat(path, { bigint: true });
    return { id: `foreign-${ino}-${mtimeNs}`, holder: null };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
