import type { Fleet } from '../fleet/fleet.ts';
import { keyOf, type SealedFile } from './sealed.ts';
import type { ReadersLock } from './readers-lock.ts';

/**
 * Who could open a value and cannot any more, with the names of those values: sealing anew takes nothing back that was
 * seen.
 * @param before the keys of each file, by path, as it was
 */
export function seenBy(
  before: ReadonlyMap<string, readonly string[]>,
  after: readonly SealedFile[],
): ReadonlyMap<string, readonly string[]> {
  const now = new Map(after.map(({ path, recipients }) => [path, recipients]));
  const seen = new Map<string, Set<string>>();
  for (const [path, keys] of before) {
    for (const key of keys.filter((each) => now.get(path)?.includes(each) !== true)) {
      const names = seen.get(key) ?? new Set();
      seen.set(key, names.add(secretIn(path)));
    }
  }
  return new Map([...seen].map(([key, names]) => [key, [...names].sort()]));
}

/** The keys of each of these files, as the lock knows them. */
export function keysOf(lock: ReadersLock, paths: readonly string[]): ReadonlyMap<string, readonly string[]> {
  return new Map(paths.map((path) => [path, lock.get(path)?.recipients ?? []]));
}

/** `secrets/web1/host-key.age` is of the secret `host-key`. */
export function secretIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.age$/, '');
}

/** What a key goes by: its host, the comment of its reader, or a part of itself. */
export function nameOfKey(fleets: readonly Fleet[], key: string): string {
  for (const fleet of fleets) {
    const host = [...fleet.hosts.values()].find((each) => each.key !== undefined && keyOf(each.key) === key);
    if (host !== undefined) return host.name;
    const reader = fleet.readers.find((each) => keyOf(each) === key);
    const comment = reader?.slice(key.length).trim() ?? '';
    if (comment !== '') return comment;
  }
  return key.startsWith('age1') ? `${key.slice(0, 16)}…` : `…${key.slice(-12)}`;
}
