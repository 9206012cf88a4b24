import { randomBytes } from 'node:crypto';
import {
  chmod,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  unlink,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fail, ok, type Result } from '../../shared/failure.ts';
import { errorCode, fileFailure } from './file-failure.ts';
import { processStart } from './proc.ts';

/**
 * `.NAME.PID.STARTED.RANDOM.autark-tmp`: whoever finds one can tell whether its writer still lives. Names are
 * unique, so that two writers of one path can never rename each other's half-written bytes.
 */
const temporary = /^\..+\.(\d+)\.(\d+)\.[0-9a-f]{16}\.autark-tmp$/;

/** An unused name beside `path` for something that will be renamed or linked to it. */
export function temporaryName(path: string): string {
  const unique = `${process.pid}.${processStart(process.pid) ?? 0}.${randomBytes(8).toString('hex')}`;
  return join(dirname(path), `.${basename(path)}.${unique}.autark-tmp`);
}

/** Removes what dead writers left in a folder: a crash costs one file until the next write there. */
export async function sweepTemporaries(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const writer = temporary.exec(name);
    if (writer === null || processStart(Number(writer[1])) === Number(writer[2])) continue;
    await unlink(join(folder, name)).catch(() => undefined);
  }
}

/**
 * Replaces the file at `path` so that after a crash or power cut it is wholly the old or wholly the new one
 * (P2): temporary file, fsync, rename, fsync of the folder (rename(2), fsync(2)). A symbolic link at `path`
 * is replaced, not followed. When it fails the old file stays, but for a failed fsync of the folder,
 * after which either may be there. Fails with `no-space` or `unexpected`.
 * @param mode permission bits, set whatever the umask is
 */
export function writeDurably(path: string, bytes: Uint8Array, mode: number): Promise<Result<void>> {
  return putDurably(path, bytes, mode, rename);
}

/** The same for a file that must not be there yet: link(2) replaces nothing. */
export function createDurably(path: string, bytes: Uint8Array, mode: number): Promise<Result<void>> {
  return putDurably(path, bytes, mode, async (draft) => {
    await link(draft, path);
    await unlink(draft);
  });
}

type Place = (draft: string, path: string) => Promise<void>;

async function putDurably(
  path: string,
  bytes: Uint8Array,
  mode: number,
  place: Place,
): Promise<Result<void>> {
  const draft = temporaryName(path);
  try {
    await sweepTemporaries(dirname(path));
    await writeSynced(draft, bytes, mode);
    await place(draft, path);
    await syncFolder(dirname(path));
    return ok(undefined);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    return fail(fileFailure(error, `write ${basename(path)}`, path));
  }
}

async function writeSynced(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  await withFile(await open(path, 'wx', 0o600), async (file) => {
    await file.writeFile(bytes);
    await file.chmod(mode);
    await file.sync();
  });
}

async function withFile<Value>(file: FileHandle, work: (file: FileHandle) => Promise<Value>): Promise<Value> {
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

/** Makes renames, links and removals in a folder survive a power cut. Throws the system's error. */
export async function syncFolder(path: string): Promise<void> {
  await withFile(await open(path, 'r'), async (folder) => {
    await folder.sync().catch((error: unknown) => {
      // Some network and user-space file systems cannot sync a folder: there is no more to be had from them.
      if (errorCode(error) !== 'EINVAL') throw error;
    });
  });
}

/**
 * The file's bytes, or `null` when there is none. A link that leads nowhere is a failure: something was there,
 * and that is not the same as nothing (P4).
 */
export async function readIfThere(path: string): Promise<Result<Uint8Array | null>> {
  try {
    return ok(await readFile(path));
  } catch (error) {
    const found = errorCode(error) === 'ENOENT' ? await look(path) : 'something';
    if (found === 'nothing') return ok(null);
    // It was made between the two looks.
    const again = found === 'file' ? await readFile(path).catch(() => null) : null;
    return again === null ? fail(fileFailure(error, `read ${basename(path)}`, path)) : ok(again);
  }
}

async function look(path: string): Promise<'nothing' | 'file' | 'something'> {
  return lstat(path).then(
    (stats) => (stats.isFile() ? 'file' : 'something'),
    (error: unknown) => (errorCode(error) === 'ENOENT' ? 'nothing' : 'something'),
  );
}

/**
 * Makes a folder and those above it, as far as they are missing, each with that mode whatever the umask is, and
 * syncs each new entry. Throws the system's error.
 */
export async function makeFolder(path: string, mode: number): Promise<void> {
  const first = await mkdir(resolve(path), { recursive: true, mode });
  if (first === undefined) return;
  for (let made = resolve(path); made !== dirname(first); made = dirname(made)) {
    await chmod(made, mode);
    await syncFolder(dirname(made));
  }
}

/** Removes a file for good; none there is fine. Throws the system's error. */
export async function removeDurably(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  await syncFolder(dirname(path)).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
}

/** Names in a folder; none when there is no such folder. Throws the system's other errors. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
