import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import type { StepOrder, Yields } from '../../step-ports.ts';
import { makeFolder, namesIn } from '../durable.ts';
import { errorCode, fileFailure } from '../file-failure.ts';
import { keepTail } from '../process/tail.ts';
import { isInMemory } from '../secrets/memory.ts';
import { askSystemd } from '../systemd.ts';

/** What a step may yield: of all files together, and in how many of them. */
const mostBytes = 2 ** 20;
const mostFiles = 50;
const yieldName = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/;
/** Bytes of output that are kept, from the end. */
export const outputKept = 65_536;

/** Where everything lies that one run is given, and leaves: in memory, for root alone. */
export interface Room {
  readonly path: string;
  readonly yields: string;
  readonly results: string;
  readonly output: string;
  /** Made by the launcher right before the program begins. */
  readonly ready: string;
}

export function roomAt(base: string, name: string): Room {
  const path = join(base, name);
  return {
    path,
    yields: join(path, 'yield'),
    results: join(path, 'results'),
    output: join(path, 'output'),
    ready: join(path, 'ready'),
  };
}

/**
 * A folder in memory (S13, S19): `folder` itself where that is, a ramfs where systemd can mount one, which is never swapped; else
 * one below /dev/shm that goes by its name, for a `--root` on a disk.
 */
export async function memoryFor(
  folder: string,
  { env, hasSystemd }: { readonly env: Readonly<Record<string, string>>; readonly hasSystemd: boolean },
): Promise<Result<string, string>> {
  try {
    const place = hasSystemd ? folder : await placeOf(folder);
    await makeFolder(place, 0o700);
    if (hasSystemd && !(await isMounted(place))) {
      const call = [
        '--quiet',
        '--collect',
        '--type=ramfs',
        '--options=mode=0700,nosuid,nodev,noexec',
        'ramfs',
        place,
      ];
      const mounted = await askSystemd('systemd-mount', call, env);
      if (!mounted.ok) return mounted;
    }
    const found = await lstat(place);
    const isOurs = found.isDirectory() && found.uid === process.geteuid?.() && (found.mode & 0o077) === 0;
    if (!isOurs) return fail(`${place} is not this user’s alone`);
    return (await isInMemory(place)) ? ok(place) : fail(`${place} does not lie in memory`);
  } catch (error) {
    return fail(fileFailure(error, 'make a place for a step', folder).cause);
  }
}

/** Where it would be; made by nobody yet, it may lie on a disk. */
export async function placeOf(folder: string): Promise<string> {
  const above = join(folder, '..');
  if (await isInMemory(above)) return folder;
  return join('/dev/shm', `autark-${createHash('sha256').update(folder).digest('hex').slice(0, 24)}`);
}

async function isMounted(place: string): Promise<boolean> {
  const [own, above] = [await lstat(place), await lstat(join(place, '..'))];
  return own.dev !== above.dev;
}

/** An empty room with what the run is given, but for what is lent. */
export async function furnish(room: Room, { earlier }: Pick<StepOrder, 'earlier'>): Promise<void> {
  await rm(room.path, { recursive: true, force: true });
  for (const path of [room.path, room.yields, room.results, join(room.path, 'credentials')])
    await mkdir(path, { mode: 0o700, recursive: true });
  for (const [step, files] of earlier) {
    await mkdir(join(room.results, step), { mode: 0o700 });
    for (const [name, bytes] of files)
      if (yieldName.test(name)) await writeFile(join(room.results, step, name), bytes, { mode: 0o400 });
  }
}

/** Credentials are files in the room, for as long as the launcher takes to read them. */
export async function lend(room: Room, credentials: ReadonlyMap<string, string>): Promise<Result<void>> {
  try {
    for (const [name, value] of credentials)
      await writeFile(join(room.path, 'credentials', name), value, { mode: 0o400 });
    return ok(undefined);
  } catch (error) {
    return fail(fileFailure(error, 'lend a credential to a step', room.path));
  }
}

/** What a step left that is kept, and what is not, in one sentence. Nothing is followed, and no more read than may be kept. */
export async function collect({
  yields,
}: Room): Promise<{ readonly yields: Yields; readonly unkept: string | null }> {
  const found = new Map<string, Uint8Array>();
  const names = (await namesIn(yields)).sort();
  let bytes = 0;
  for (const name of names.slice(0, mostFiles + 1)) {
    const read = yieldName.test(name) ? await readPlain(join(yields, name), mostBytes - bytes) : null;
    if (read === null || found.size === mostFiles) return { yields: found, unkept: unkept(name) };
    bytes += read.length;
    found.set(name, read);
  }
  return { yields: found, unkept: null };
}

function unkept(name: string): string {
  return (
    `what it left in AUTARK_YIELD cannot all be kept, beginning with ${JSON.stringify(name.slice(0, 100))}: at most ` +
    `${mostFiles} files with plain names and ${mostBytes / 2 ** 20} MiB together, no folders and no links`
  );
}

/** `null` for what is no regular file, or too large. */
async function readPlain(path: string, most: number): Promise<Uint8Array | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch(() => null);
  if (file === null) return null;
  try {
    const { size, nlink } = await file
      .stat()
      .then((stat) => (stat.isFile() ? stat : { size: Infinity, nlink: 1 }));
    return size > most || nlink !== 1 ? null : await file.readFile();
  } finally {
    await file.close();
  }
}

/** The end of what the program wrote, safe to show. */
export async function outputOf({ output }: Room): Promise<string> {
  const bytes = await readFile(output).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return new Uint8Array();
    throw error;
  });
  const tail = keepTail(outputKept);
  tail.add(bytes);
  return tail.text();
}

/** Removes all rooms below a base, and the base where nothing is mounted there. */
export async function empty(base: string): Promise<Result<void>> {
  try {
    for (const name of await readdir(base)) await rm(join(base, name), { recursive: true, force: true });
    await rmdir(base).catch((error: unknown) => {
      if (errorCode(error) !== 'EBUSY') throw error;
    });
    return ok(undefined);
  } catch (error) {
    return errorCode(error) === 'ENOENT'
      ? ok(undefined)
      : fail(fileFailure(error, 'remove what a step left', base));
  }
}
