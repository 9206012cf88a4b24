import { readFile, realpath, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseMounts, type Mount } from '../../../shared/doctor/mounts.ts';
import type { Kept, PersistenceFacts } from '../../../shared/doctor/persistence.ts';
import type { Space, Unasked } from '../../../shared/doctor/space.ts';
import { oneLine } from '../../../shared/printable.ts';
import type { Room } from '../../doctor-ports.ts';
import { errorCode } from '../file-failure.ts';

/** A path with links followed, or of what is not there yet, the folder that is. `null` when it cannot be told. */
export async function realPart(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch (error) {
    const isMissing = errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR';
    return isMissing && path !== dirname(path) ? realPart(dirname(path)) : null;
  }
}

/** statfs(2) of what is there of each path. */
export async function spaceAt(rooms: readonly Room[]): Promise<readonly (Space | Unasked)[]> {
  return Promise.all(
    rooms.map(async ({ what, path, least }) => {
      const real = await realPart(path);
      if (real === null) return { path, why: 'it cannot be looked at' };
      try {
        const [{ dev }, { bavail, bsize, ffree, files }] = await Promise.all([stat(real), statfs(real)]);
        const left = { free: bavail * bsize, freeInodes: ffree, inodes: files };
        return { what, path, device: dev, least, ...left };
      } catch (error) {
        return { path, why: oneLine(error instanceof Error ? error.message : String(error)) };
      }
    }),
  );
}

/** Where things lie, by /proc/self/mountinfo; with the upper layers of overlays, as far as they can be seen. */
export async function persistenceOf(kept: readonly Omit<Kept, 'real'>[]): Promise<PersistenceFacts> {
  const [text, found] = await Promise.all([
    readFile('/proc/self/mountinfo', 'utf8').catch(() => null),
    Promise.all(kept.map(async (each) => ({ ...each, real: await realPart(each.path) }))),
  ]);
  const mounts = text === null ? null : parseMounts(text);
  return { kept: found, mounts, layers: await layersOf(mounts ?? []) };
}

async function layersOf(mounts: readonly Mount[]): Promise<ReadonlyMap<string, string>> {
  const uppers = mounts.flatMap(({ options }) => options.get('upperdir') ?? []);
  const seen = await Promise.all(
    uppers.map(async (upper) => [upper, await realpath(upper).catch(() => null)] as const),
  );
  return new Map(seen.flatMap(([upper, real]) => (real === null ? [] : [[upper, real] as const])));
}
