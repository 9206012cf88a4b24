import type { BigIntStats } from 'node:fs';
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
  const text = await textOf(path);
  const holder = text === null ? null : parseHolder(text);
  if (holder !== null) return { id: holder.id, holder: isAlive(holder) ? holder : null };
  const stat = await statIfThere(path);
  // What was not there a moment ago and is now may be a live lock: let the caller look again.
  if (stat === null || (text === null && !stat.isSymbolicLink())) return null;
  // Named by inode and time, as a real lock never is, so that a reused inode does no harm.
  return { id: `foreign-${stat.ino}-${stat.mtimeNs}`, holder: null };
}

/** `null` when there is none, or when it is a link that leads nowhere. */
async function textOf(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(nullIfAbsent);
}

async function statIfThere(path: string): Promise<BigIntStats | null> {
  return lstat(path, { bigint: true }).catch(nullIfAbsent);
}

function nullIfAbsent(error: unknown): null {
  if (errorCode(error) === 'ENOENT') return null;
  throw error;
}
