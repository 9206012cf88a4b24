import type { Fleet } from '../fleet/fleet.ts';
import type { LockEntry, ReadersLock } from './readers-lock.ts';
import { sealedFiles, sealedPath, type SealedFile } from './sealed.ts';

/** What a revision holds of sealed files. */
export interface Sealed {
  readonly lock: ReadersLock;
  /** The SHA-256 of each `.age` file below `secrets/`, by path. */
  readonly digests: ReadonlyMap<string, string>;
}

/** Where what is sealed is not what `fleet.yaml` asks for. */
export type Difference =
  /** Declared, and nobody has set a value yet. */
  | { readonly kind: 'no-value'; readonly path: string; readonly file: SealedFile }
  /** Sealed to other keys than those that are asked for; not in the lock at all: to none that is known. */
  | {
      readonly kind: 'recipients';
      readonly path: string;
      readonly file: SealedFile;
      readonly lacking: readonly string[];
      readonly surplus: readonly string[];
    }
  /** Another file than the one that the lock speaks of: nobody knows which keys open it. */
  | { readonly kind: 'swapped'; readonly path: string; readonly file: SealedFile }
  | { readonly kind: 'undeclared'; readonly path: string }
  /** In the lock, and not there. */
  | { readonly kind: 'absent'; readonly path: string }
  /** Neither declared nor in the lock: somebody else's. */
  | { readonly kind: 'foreign'; readonly path: string };

/** All that differs, what is declared first, in the order of `fleet.yaml` (S11). */
export function differences(fleet: Fleet, sealed: Sealed): readonly Difference[] {
  const wanted = sealedFiles(fleet);
  const paths = new Set(wanted.map(({ path }) => path));
  const others = [...new Set([...sealed.lock.keys(), ...sealed.digests.keys()])].filter(
    (path) => !paths.has(path),
  );
  return [
    ...wanted.flatMap((file) => differenceOf(file, sealed) ?? []),
    ...others.toSorted().map((path) => undeclared(path, sealed)),
  ];
}

function undeclared(path: string, { lock, digests }: Sealed): Difference {
  if (!digests.has(path)) return { kind: 'absent', path };
  return { kind: lock.has(path) ? 'undeclared' : 'foreign', path };
}

/** `undefined` when the file is sealed as it is asked for. */
export function differenceOf(file: SealedFile, { lock, digests }: Sealed): Difference | undefined {
  const { path } = file;
  const [entry, digest] = [lock.get(path), digests.get(path)];
  if (digest === undefined)
    return entry === undefined ? { kind: 'no-value', path, file } : { kind: 'absent', path };
  if (entry === undefined) return { kind: 'recipients', path, file, lacking: file.recipients, surplus: [] };
  if (entry.sha256 !== digest) return { kind: 'swapped', path, file };
  const lacking = file.recipients.filter((key) => !entry.recipients.includes(key));
  const surplus = entry.recipients.filter((key) => !file.recipients.includes(key));
  return lacking.length + surplus.length === 0
    ? undefined
    : { kind: 'recipients', path, file, lacking, surplus };
}

/** What is to be done so that all is sealed as asked for. */
export interface Resealing {
  /** Files whose value is there, where `sourceOf` says. */
  readonly reseal: readonly SealedFile[];
  /** Paths of which neither file nor entry is to stay. */
  readonly remove: readonly string[];
  /** Sealed files that no secret has any more, and that stay: each may be the only copy of its value. */
  readonly keep: readonly string[];
}

/**
 * Everything that differs, whoever caused it; what is as it should be is not touched. A file that is declared nowhere stays
 * unless somebody asked for its removal: a secret that was renamed by hand looks just like one that was given up.
 */
export function wholeResealing(
  fleet: Fleet,
  sealed: Sealed,
  { removesUndeclared }: { readonly removesUndeclared: boolean },
): Resealing {
  const found = differences(fleet, sealed);
  const pathsOf = (kind: Difference['kind']) =>
    found.filter((each) => each.kind === kind).map(({ path }) => path);
  const undeclaredPaths = pathsOf('undeclared');
  return {
    reseal: found.flatMap((each) =>
      each.kind === 'recipients' || each.kind === 'swapped' ? [each.file] : [],
    ),
    remove: [...pathsOf('absent'), ...(removesUndeclared ? undeclaredPaths : [])],
    keep: removesUndeclared ? [] : undeclaredPaths,
  };
}

/**
 * Where the value of a file lies: in the file; or, once each host is to have a value of its own, in the one that they shared
 * until now.
 */
export function sourceOf({ path, secret, host }: SealedFile, before: Fleet): string {
  const shared = before.secrets.get(secret);
  const isFromShared = host !== undefined && shared?.each === false && shared.hosts.includes(host);
  return isFromShared ? sealedPath(secret) : path;
}

/** What a change of `fleet.yaml` makes necessary, and nothing that differed before. */
export function resealingFor(before: Fleet, after: Fleet, sealed: Sealed): Resealing {
  const old = new Map(sealedFiles(before).map((file) => [file.path, file.recipients.join('\n')]));
  const wanted = sealedFiles(after);
  const kept = new Set(wanted.map(({ path }) => path));
  return {
    reseal: wanted.filter(
      (file) =>
        sealed.digests.has(sourceOf(file, before)) &&
        old.get(file.path) !== file.recipients.join('\n') &&
        differenceOf(file, sealed) !== undefined,
    ),
    remove: [...old.keys()].filter(
      (path) => !kept.has(path) && (sealed.digests.has(path) || sealed.lock.has(path)),
    ),
    keep: [],
  };
}

/** A lock after a change: entries in the place of others, and some gone. */
export function lockWith(
  lock: ReadersLock,
  written: ReadonlyMap<string, LockEntry>,
  removed: readonly string[],
): ReadersLock {
  const next = new Map([...lock, ...written]);
  for (const path of removed) next.delete(path);
  return next;
}
