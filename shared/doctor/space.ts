import type { Failure } from '../failure.ts';
import { notWell, unknown, well, type Checked } from './checked.ts';

/** What statfs(2) says of the file system below a path. */
export interface Space {
  readonly what: string;
  readonly path: string;
  /** Tells one file system from another. */
  readonly device: number;
  /** Bytes that an ordinary user may still write. */
  readonly free: number;
  /** Inodes left, and all there are; all is 0 where they are not counted. */
  readonly freeInodes: number;
  readonly inodes: number;
  /** Bytes below which what goes there does not fit. */
  readonly least: number;
}

/** A place that could not be asked. */
export interface Unasked {
  readonly path: string;
  readonly why: string;
}

/** A checked-out tree has thousands of files, a store path too. */
const leastInodes = 5000;

/**
 * What is short, one line for each file system: of places on the same one, that which needs the most decides. Inodes
 * count only where the file system has a fixed number of them.
 */
export function checkSpace(places: readonly (Space | Unasked)[]): readonly Checked[] {
  const asked = places.flatMap((each) => ('device' in each ? [each] : []));
  // The last of a key stays: that with the highest need.
  const byNeed = new Map(asked.toSorted((a, b) => a.least - b.least).map((each) => [each.device, each]));
  const lines = [...byNeed.values()].flatMap((each) => {
    const failure = shortOf(each);
    return failure === undefined ? [] : [notWell('space', failure)];
  });
  const unasked = places.flatMap((each) =>
    'why' in each ? [unknown('space', `${each.path} cannot be asked: ${each.why}`)] : [],
  );
  if (lines.length > 0) return [...lines, ...unasked];
  const [least] = asked.toSorted((a, b) => a.free - b.free);
  if (least === undefined) return unasked;
  return [well('space', `at least ${inWords(least.free)} are free, below ${least.path}`), ...unasked];
}

function shortOf({ what, path, free, freeInodes, inodes, least }: Space): Failure | undefined {
  if (free < least) {
    const cause = `${inWords(free)} are free for ${what}, and less than ${inWords(least)} is too little`;
    return { kind: 'no-space', cause, where: path, remedy: makeRoom };
  }
  // A small file system may never have had as many.
  if (inodes === 0 || freeInodes >= Math.min(leastInodes, inodes / 20)) return undefined;
  const cause = `${freeInodes} of ${inodes} inodes are left for ${what}`;
  return { kind: 'no-space', cause, where: path, remedy: fewerFiles };
}

const makeRoom =
  'make room (df -h; with Nix, nix-collect-garbage; `keep` in fleet.yaml says how many generations stay)';
const fewerFiles = 'remove what has many small files (df -i), or give that file system more inodes';

function inWords(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const amount = bytes / 1000 ** power;
  return `${power === 0 ? amount : amount.toFixed(amount < 10 ? 1 : 0)} ${units[power] ?? 'B'}`;
}
