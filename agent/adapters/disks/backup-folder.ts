import { lstat, mkdir, mkdtemp, open, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import { fileFailure } from '../file-failure.ts';
import { removeTree } from '../remove-tree.ts';

/** Of statfs(2): file systems that lie in memory. */
const inMemory = [0x858458f6, 0x01021994];

/**
 * Hands over a folder in memory that only this user can enter, and removes it with all that is in it, whatever happens:
 * a header of an encrypted volume that was once written to another disk could be found there for years.
 *
 * Below the host's own `run/autark` it always has the same name, so that what a killed agent left goes with the next one.
 * Otherwise it lies in `/dev/shm`, where others may make names as well, so nobody can know it before.
 */
export async function withFolder<Value>(
  root: string,
  use: (folder: string) => Promise<Value>,
): Promise<Result<Value, string>> {
  let folder: string | null = null;
  try {
    folder = await makePrivate(root);
    return ok(await use(folder));
  } catch (error) {
    const { cause } = fileFailure(error, 'keep a file in memory for a moment', root);
    return fail(`${cause} (a tmpfs is needed at ${join(root, 'run')} or /dev/shm)`);
  } finally {
    if (folder !== null) await removeTree(folder);
  }
}

async function makePrivate(root: string): Promise<string> {
  const run = join(root, 'run');
  if (await isInMemory(run)) {
    const home = join(run, 'autark');
    await mkdir(home, { recursive: true, mode: 0o755 });
    const folder = join(home, 'backup');
    await removeTree(folder);
    await mkdir(folder, { mode: 0o700 });
    return folder;
  }
  if (!(await isInMemory('/dev/shm'))) throw new Error('no folder lies in memory');
  return mkdtemp('/dev/shm/autark-backup-');
}

async function isInMemory(folder: string): Promise<boolean> {
  const found = await statfs(folder).catch(() => null);
  // A number of 32 bits, which some kernels give with a sign.
  return found !== null && inMemory.includes(found.type >>> 0);
}

/** All of a file that a program wrote; `null` when it is none, or larger than the limit. */
export async function readWritten(path: string, limit: number): Promise<Uint8Array | null> {
  const found = await lstat(path).catch(() => null);
  if (found === null || !found.isFile() || found.size > limit) return null;
  const file = await open(path);
  try {
    const bytes = Buffer.alloc(found.size);
    const { bytesRead } = await file.read(bytes, 0, found.size, 0);
    return bytesRead === found.size ? bytes : null;
  } finally {
    await file.close();
  }
}
