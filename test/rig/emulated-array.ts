import { commandsOf } from './loop-disk.ts';
import { fill } from './rented-machine.ts';

/** Two disks of a machine, by any names. */
export type Members = readonly [first: string, second: string];

/** Makes `/dev/md0` of them, and on it the volume `data` of `vg1`, mounted at `/data`, with a letter. */
export function makeArray([first, second]: Members, letter: string): string {
  return [
    'set -e',
    `mdadm --create /dev/md0 --run --level=1 --raid-devices=2 ${first} ${second}`,
    'pvcreate --quiet /dev/md0',
    'vgcreate --quiet vg1 /dev/md0',
    'lvcreate --quiet --extents 100%FREE --name data vg1',
    'mkfs.ext4 -q /dev/vg1/data',
    'mkdir /data',
    'mount /dev/vg1/data /data',
    `echo '${letter}' >/data/letter`,
    'sync',
  ].join('\n');
}

export const stopArray = 'umount /data && vgchange --quiet --activate n vg1 && mdadm --stop /dev/md0';

/** Stops it, and leaves nothing of what tells that there was one, and a volume group on it. */
export function destroyArray([first, second]: Members): string {
  const zeros = 'dd if=/dev/zero of=/dev/md0 bs=1M count=1 conv=fsync status=none && udevadm settle';
  const gone = `mdadm --zero-superblock ${first} ${second} && udevadm settle`;
  return `${stopArray.replace('mdadm', `${zeros} && mdadm`)} && ${gone}`;
}

/** What restore.md tells people to type when the superblocks are gone. @param conf what was backed up of them */
export function makeArrayAnew([first, second]: Members, conf: string): string {
  const said = (what: string): string => {
    const value = new RegExp(`^# +${what}: (?:raid)?([0-9.]+)`, 'm').exec(conf)?.[1];
    if (value === undefined) throw new Error(`nobody backed ${what} up: ${conf}`);
    return value;
  };
  return fill(commandsOf('restore.md', 'RAID', 'anew'), {
    '--metadata=1.2': `--metadata=${said('Version')}`,
    '--level=1': `--level=${said('Raid Level')}`,
    '--raid-devices=2': `--raid-devices=${said('Raid Devices')}`,
    '--data-offset=1024K': `--data-offset=${Number(said('Data Offset')) / 2}K`,
    '/dev/sdX': first,
    '/dev/sdY': second,
  });
}
