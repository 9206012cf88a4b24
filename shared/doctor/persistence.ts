import type { Failure } from '../failure.ts';
import { notWell, unknown, well, type Checked } from './checked.ts';
import { mountOf, type Mount } from './mounts.ts';

/** Something that a host must find again after a reboot. */
export interface Kept {
  /** What it is, for people. */
  readonly what: string;
  /** As the settings or the manual name it. */
  readonly path: string;
  /** The same, or the part of it that is there, with links followed; `null` when that cannot be told. */
  readonly real: string | null;
  /** Whether the agent must be able to write there. */
  readonly isWritten: boolean;
}

export interface PersistenceFacts {
  readonly kept: readonly Kept[];
  /** `null` when the kernel does not say. */
  readonly mounts: readonly Mount[] | null;
  /** Which paths of an overlay's upper layer can be seen from here, with links followed. */
  readonly layers: ReadonlyMap<string, string>;
}

/** What becomes of a path at a reboot. */
type Fate =
  | { readonly is: 'kept'; readonly on: string }
  | { readonly is: 'lost' | 'unknown' | 'read-only'; readonly why: string };

/** Whether what a host must not lose lies on something that outlives a reboot. */
export function checkPersistence({ kept, mounts, layers }: PersistenceFacts): readonly Checked[] {
  if (mounts === null) return [unknown('persistence', 'the kernel does not say what is mounted where')];
  const fates = kept.map((each) => ({ each, fate: fateOf(each, mounts, layers) }));
  const bad = fates.flatMap(({ each, fate }): Checked[] => {
    if (fate.is === 'lost') return [notWell('persistence', lost(each, fate.why))];
    if (fate.is === 'read-only') return [notWell('persistence', readOnly(each, fate.why))];
    return fate.is === 'unknown' ? [unknown('persistence', `${each.path}: ${fate.why}`)] : [];
  });
  if (bad.length > 0) return bad;
  const places = [...new Set(fates.flatMap(({ fate }) => (fate.is === 'kept' ? [fate.on] : [])))];
  return [well('persistence', `what must outlive a reboot lies on ${places.join(' and ')}`)];
}

function fateOf(
  { real, isWritten }: Kept,
  mounts: readonly Mount[],
  layers: PersistenceFacts['layers'],
): Fate {
  if (real === null) return { is: 'unknown', why: 'it cannot be looked at' };
  const mount = mountOf(mounts, real);
  if (mount === undefined) return { is: 'unknown', why: 'no mount is known that holds it' };
  if (isWritten && mount.isReadOnly) return { is: 'read-only', why: named(mount) };
  return fateOn(mount, mounts, layers, 0);
}

/** More layers than any machine has; the kernel allows two. */
const deepest = 8;

function fateOn(
  mount: Mount,
  mounts: readonly Mount[],
  layers: PersistenceFacts['layers'],
  depth: number,
): Fate {
  if (/^(tmpfs|ramfs|rootfs)$/.test(mount.type) || /^\/dev\/(zram|ram)\d/.test(mount.source)) {
    return { is: 'lost', why: named(mount) };
  }
  if (mount.type !== 'overlay') return { is: 'kept', on: mount.type };
  const upper = mount.options.get('upperdir');
  if (upper === undefined) return { is: 'kept', on: 'a read-only overlay' };
  const real = layers.get(upper);
  const below = real === undefined || depth >= deepest ? undefined : mountOf(mounts, real);
  // A container's upper layer lies outside of what it sees.
  if (below === undefined)
    return { is: 'unknown', why: `its upper layer ${upper} cannot be seen from here (${named(mount)})` };
  const fate = fateOn(below, mounts, layers, depth + 1);
  if (fate.is === 'kept') return { is: 'kept', on: `an overlay on ${fate.on}` };
  return { ...fate, why: `${named(mount)}, whose upper layer ${upper} lies on ${fate.why}` };
}

function named({ type, point }: Mount): string {
  return `${type} at ${point}`;
}

function lost({ what, path }: Kept, why: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${what} is lost at the next reboot: it lies in memory, on ${why}`,
    where: path,
    remedy:
      'put it on a disk: a bind mount, or, where the root is made anew at each boot, a line in what that machine ' +
      'keeps (such as environment.persistence)',
  };
}

function readOnly({ what, path }: Kept, why: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${what} lies on what cannot be written to: ${why}`,
    where: path,
    remedy: 'mount it read-write, or look at the kernel log (dmesg) if it was once',
  };
}
