import { randomBytes } from 'node:crypto';
import { link, readdir, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Holder } from '../../shared/cycle/parse-holder.ts';
import { sweepTemporaries, temporaryName } from './durable.ts';
import { errorCode } from './file-failure.ts';
import { type Found, readLock } from './lock-file.ts';
import { thisProcess } from './proc.ts';

/*
 * Why no two processes can hold one lock, however they crash:
 *
 * A lock file comes to be by link(2) alone, which fails when there is one already. So two can hold it only if
 * one's file is removed while it lives. Removing is by name, and between reading a dead holder's file and
 * removing it somebody else may have taken over and put a live one there. (Renaming it away, looking, and
 * putting a live one back does not help: in between a third may take the empty place.) Therefore:
 *
 *   a file is removed only by its holder, or, when its holder is dead, by whoever holds its guard,
 *   and only after reading once more that it still is that very file.
 *
 * The guard of a file is a lock of the same kind, named after the file's random id. While one holds the
 * guard of X and has read that X is at its place, X stays there until one removes it: X's holder is dead,
 * nobody else holds the guard, and link(2) replaces nothing. Once X is gone it never returns, so a guard of X
 * that is taken later, or was left behind, permits nothing any more.
 *
 * Whoever crashed while holding a guard left a dead lock, taken over by the same rule through its own guard;
 * each turn of the recursion needs one more process that died in this very place, so it ends. That a
 * holder is dead stays true for ever: pid, start time and boot id together never return.
 */

/** A file that holds who we are, under a name of its own, to be linked into place. */
export interface Claim {
  readonly path: string;
  readonly id: string;
}

/** Throws the system's error. */
export async function makeClaim(lock: string, what: string): Promise<Claim> {
  await sweepTemporaries(dirname(lock));
  const claim = { path: temporaryName(lock), id: randomBytes(16).toString('hex') };
  const holder: Holder = { id: claim.id, ...thisProcess(), what };
  // Not synced: a lock need not survive a power cut, and its holder does not.
  await writeFile(claim.path, `${JSON.stringify(holder)}\n`, { flag: 'wx', mode: 0o600 });
  return claim;
}

/** Removes the claim's own name; a lock that was taken with it stays. */
export async function withdraw(claim: Claim): Promise<void> {
  // Should it stay, it is swept once this process is dead.
  await unlink(claim.path).catch(() => undefined);
}

/** Tries to take the lock: `null` when it is ours now, else the live process that has it or is taking it over. */
export async function take(path: string, claim: Claim): Promise<Holder | null> {
  for (;;) {
    if (await linked(claim.path, path)) return null;
    const found = await readLock(path);
    if (found === null) continue;
    const blocker = found.holder ?? (await removeDead(path, found, claim));
    if (blocker !== null) return blocker;
  }
}

/** `null` when that file is gone from its place, else the live process that sees to it. */
async function removeDead(path: string, dead: Found, claim: Claim): Promise<Holder | null> {
  const guard = guardOf(path, dead.id);
  const blocker = await take(guard, claim);
  if (blocker !== null) return blocker;
  if ((await readLock(path))?.id === dead.id) await unlinkIfThere(path);
  await unlinkIfThere(guard);
  return null;
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Guards of guards lie beside them, under names of equal length. */
function guardOf(path: string, id: string): string {
  const lock = basename(path).replace(/\.guard-.*$/, '');
  return join(dirname(path), `${lock}.guard-${id}`);
}

/**
 * Removes guards that crashed takers left. Only for the lock's live holder: no file that they are named after
 * can be at the lock's place then, so they are without meaning.
 */
export async function removeGuards(path: string): Promise<void> {
  const prefix = `${basename(path)}.guard-`;
  for (const name of await readdir(dirname(path))) {
    if (name.startsWith(prefix)) await unlinkIfThere(join(dirname(path), name));
  }
}

/** Removes the lock if it is still the one taken with this claim. */
export async function release(path: string, claim: Claim): Promise<void> {
  if ((await readLock(path))?.id === claim.id) await unlinkIfThere(path);
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
}
