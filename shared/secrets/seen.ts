import type { Fleet } from '../fleet/fleet.ts';
import { keyOf, sealedFiles } from './sealed.ts';

/**
 * Who could open a value and cannot any more, with the names of those values: sealing anew takes nothing back that was
 * seen. Of a file that is gone that is whoever opens no other one of its secret, and no reader; where the secret itself is gone,
 * so is the question.
 * @param before the keys of each file, by path, as it was
 */
export function seenBy(
  before: ReadonlyMap<string, readonly string[]>,
  after: Fleet,
): ReadonlyMap<string, readonly string[]> {
  const files = sealedFiles(after);
  const now = new Map(files.map(({ path, recipients }) => [path, recipients]));
  const seen = new Map<string, Set<string>>();
  for (const [path, keys] of before) {
    const name = secretIn(path);
    if (!after.secrets.has(name)) continue;
    const able = now.get(path) ?? [
      ...after.readers.map(keyOf),
      ...files.filter(({ secret }) => secret === name).flatMap(({ recipients }) => recipients),
    ];
    for (const key of keys.filter((each) => !able.includes(each)))
      seen.set(key, (seen.get(key) ?? new Set()).add(name));
  }
  return new Map([...seen].map(([key, names]) => [key, [...names].sort()]));
}

/** `secrets/web1/host-key.age` is of the secret `host-key`. */
export function secretIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.age$/, '');
}

/** What a key goes by: its host, the comment of its reader, or a part of itself. */
export function nameOfKey(fleets: readonly Fleet[], key: string): string {
  for (const fleet of fleets) {
    const name = nameIn(fleet, key);
    if (name !== undefined) return name;
  }
  return key.startsWith('age1') ? `${key.slice(0, 16)}…` : `…${key.slice(-12)}`;
}

export function isNamedIn(fleets: readonly Fleet[], key: string): boolean {
  return fleets.some((fleet) => nameIn(fleet, key) !== undefined);
}

function nameIn({ hosts, readers }: Fleet, key: string): string | undefined {
  const host = [...hosts.values()].find((each) => each.key !== undefined && keyOf(each.key) === key);
  if (host !== undefined) return host.name;
  const comment =
    readers
      .find((each) => keyOf(each) === key)
      ?.slice(key.length)
      .trim() ?? '';
  return comment === '' ? undefined : comment;
}
