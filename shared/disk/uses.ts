import { type BlockDevice, withDescendants } from './block-devices.ts';
import type { Signature } from './disk.ts';
import type { Membership, Mount } from './in-use.ts';

/** What a program said, or why it did not. */
export type Told<Value> = { readonly told: Value } | { readonly untold: string };

/** Who uses which block devices of a machine. A device is its kernel name, or its number as `MAJOR:MINOR`. */
export interface UseFacts {
  /** `device`: what is mounted, where that is a block device. */
  readonly mounts: readonly (Mount & { readonly device: string })[];
  readonly swaps: readonly string[];
  readonly arrays: readonly Membership[];
  /** File systems of btrfs that are mounted, by UUID, with all their devices: only one of these is named by the mount. */
  readonly btrfs: readonly Membership[];
  readonly holders: readonly Membership[];
  /** Loop devices over block devices. */
  readonly loops: readonly Membership[];
  readonly groups: Told<readonly Membership[]>;
  readonly pools: Told<readonly Membership[]>;
}

/** A file system may be mounted in hundreds of places by bind mounts, or be open in as many processes: they say nothing more. */
const mostPlaces = 4;

/** Sentences about a disk, its partitions and what is made of these; sorted, none twice. */
export function usesOf(disk: BlockDevice, facts: UseFacts): readonly string[] {
  const sentences = withDescendants(disk).flatMap((device) => usesOfOne(device, disk, facts));
  return [...new Set(sentences)].sort();
}

function usesOfOne(device: BlockDevice, disk: BlockDevice, facts: UseFacts): readonly string[] {
  const isIt = (name: string): boolean => name === device.name || name === device.number;
  const who = nameOf(device, disk);
  const members = (said: readonly Membership[], what: (of: string) => string): readonly string[] =>
    said.filter((each) => isIt(each.device)).map(({ of }) => `${who} ${what(of)}`);
  return [
    ...placesOf(facts.mounts.filter((mount) => isIt(mount.number) || isIt(mount.device))).map(
      (at) => `${who} is mounted at ${at}`,
    ),
    ...(facts.swaps.some(isIt) ? [`${who} is used as swap`] : []),
    ...members(facts.arrays, (array) => `is a member of ${array}`),
    ...members(facts.btrfs, (uuid) => `belongs to the mounted btrfs ${uuid}`),
    ...members(facts.holders, (holder) => `is held by ${holder}`),
    ...members(facts.loops, (loop) => `is behind ${loop}`),
    ...('told' in facts.groups ? members(facts.groups.told, (of) => `belongs to volume group ${of}`) : []),
    ...('told' in facts.pools ? members(facts.pools.told, (of) => `belongs to ZFS pool ${of}`) : []),
  ];
}

/** Who has a disk, a partition of it or what is made of these open; a doubt where that cannot be told. */
export function opensOf(disk: BlockDevice, openers: Told<readonly Membership[]>): readonly string[] {
  if (!('told' in openers))
    return [`whether ${disk.name} is open elsewhere cannot be told: ${openers.untold}`];
  return withDescendants(disk).flatMap((device) => {
    const here = openers.told.filter((each) => each.device === device.number).map(({ of }) => of);
    const names = [...new Set(here)].sort().slice(0, mostPlaces);
    return names.length === 0 ? [] : [`${nameOf(device, disk)} is open in ${names.join(', ')}`];
  });
}

function placesOf(mounts: UseFacts['mounts']): readonly string[] {
  const whole = mounts.filter(({ root }) => root === '/');
  const places = [...new Set((whole.length > 0 ? whole : mounts).map(({ at }) => at))];
  return places.sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).slice(0, mostPlaces);
}

function nameOf(device: BlockDevice, disk: BlockDevice): string {
  return device === disk || device.type === 'part' ? device.name : `${device.shown} (on ${disk.name})`;
}

/**
 * Where a signature says that a volume manager has a device, and the one who knows does not answer, somebody may well use
 * it: missing knowledge is never "nobody".
 */
export function doubtsOf(
  signatures: readonly Signature[],
  facts: Pick<UseFacts, 'groups' | 'pools'>,
): readonly string[] {
  const doubt = (type: string, said: Told<unknown>, what: string): readonly string[] =>
    'told' in said
      ? []
      : signatures
          .filter((each) => each.type === type)
          .map(({ on }) => `whether ${on} belongs to ${what} cannot be told: ${said.untold}`);
  const all = [
    ...doubt('LVM2_member', facts.groups, 'a volume group'),
    ...doubt('zfs_member', facts.pools, 'a ZFS pool'),
  ];
  return [...new Set(all)].sort();
}
