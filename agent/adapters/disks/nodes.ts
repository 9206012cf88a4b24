import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The kernel's folder of device nodes; it is this machine's whatever `--root` is. */
export const nodes = '/dev';

/** `MAJOR:MINOR` of a device number, as Linux (include/linux/kdev_t.h, new_encode_dev) and libc lay it out. */
export function numberOf(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn);
  return `${major}:${minor}`;
}

/** The number of the block device that a path leads to; `null` when it leads to none. */
export async function blockNumber(path: string): Promise<string | null> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  return found?.isBlockDevice() === true ? numberOf(found.rdev) : null;
}

/** What a link leads to, and the number of that block device; `null` when there is none. */
export async function resolved(path: string): Promise<{ node: string; number: string } | null> {
  const node = await realpath(path).catch(() => null);
  if (node === null) return null;
  const number = await blockNumber(node);
  return number === null ? null : { node, number };
}

/** The names below `dev/disk/by-id`, by the number of the device that each leads to. */
export async function idsBelow(root: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const folder = join(root, 'dev/disk/by-id');
  const ids = new Map<string, string[]>();
  for (const name of (await readdir(folder).catch(() => [])).sort()) {
    const number = await blockNumber(join(folder, name));
    if (number !== null) ids.set(number, [...(ids.get(number) ?? []), name]);
  }
  return ids;
}
