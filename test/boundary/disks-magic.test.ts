import { closeSync, openSync, readSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { detect, windowSize } from '../../shared/disk/magic.ts';
import { parseBlkid, type Probed } from '../../shared/disk/signatures.ts';
import { chooseSeed, scratch, seeded } from '../agent/adapters/scratch.ts';
import { loopDevice, tool } from '../rig/fake-disk.ts';
import { describeWith } from '../rig/needs.ts';
import { run } from '../rig/run.ts';
import { MiB } from './disks-rig.ts';

/** What each makes of an empty file of so many MiB. */
const makers: Readonly<Record<string, { megabytes: number; make: (image: string) => Promise<unknown> }>> = {
  ext2: { megabytes: 20, make: (image) => tool('mkfs.ext2', '-q', '-F', image) },
  ext3: { megabytes: 20, make: (image) => tool('mkfs.ext3', '-q', '-F', image) },
  ext4: { megabytes: 20, make: (image) => tool('mkfs.ext4', '-q', '-F', image) },
  'ext4 in blocks of 4 KiB': {
    megabytes: 300,
    make: (image) => tool('mkfs.ext4', '-q', '-F', '-b', '4096', image),
  },
  xfs: { megabytes: 320, make: (image) => tool('mkfs.xfs', '-q', image) },
  btrfs: { megabytes: 160, make: (image) => tool('mkfs.btrfs', '-q', image) },
  FAT12: { megabytes: 2, make: (image) => tool('mkfs.vfat', '-F', '12', image) },
  FAT16: { megabytes: 20, make: (image) => tool('mkfs.vfat', '-F', '16', image) },
  FAT32: { megabytes: 80, make: (image) => tool('mkfs.vfat', '-F', '32', image) },
  swap: { megabytes: 10, make: (image) => tool('mkswap', image) },
  'swap of larger pages': { megabytes: 10, make: (image) => tool('mkswap', '-p', '16384', image) },
  LUKS1: { megabytes: 32, make: (image) => luks(image, 'luks1') },
  LUKS2: { megabytes: 32, make: (image) => luks(image, 'luks2') },
  LVM: { megabytes: 20, make: physicalVolume },
};

async function luks(image: string, type: string): Promise<void> {
  const key = `${image}.key`;
  writeFileSync(key, 'passphrase');
  const cheap = ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'];
  await tool('cryptsetup', 'luksFormat', '--batch-mode', '--type', type, ...cheap, image, key);
}

/** LVM takes devices alone. */
async function physicalVolume(image: string): Promise<void> {
  const loop = await loopDevice(20);
  await tool('pvcreate', '-q', '--devices', loop, loop);
  await tool('dd', `if=${loop}`, `of=${image}`, 'bs=1M', 'status=none');
}

async function blkidAt(disk: string, at: number): Promise<Probed> {
  const args = ['-p', '-O', String(at), '-o', 'export', disk];
  return parseBlkid((await run('blkid', args, { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })).stdout);
}

function windowAt(disk: string, at: number): Uint8Array {
  const bytes = Buffer.alloc(windowSize);
  const file = openSync(disk, 'r');
  const length = readSync(file, bytes, 0, windowSize, at);
  closeSync(file);
  return bytes.subarray(0, length);
}

describeWith(['disks'], 'what begins somewhere on a disk', () => {
  for (const [name, { megabytes, make }] of Object.entries(makers)) {
    const seed = chooseSeed();
    test(`${name} is recognised as blkid does, wherever it begins (AUTARK_SEED=${seed})`, async () => {
      const random = seeded(seed);
      const folder = scratch();
      const [image, disk] = [join(folder, 'image'), join(folder, 'disk')];
      writeFileSync(image, '');
      truncateSync(image, megabytes * MiB);
      await make(image);
      const start = 1 + Math.floor(random() * 500);
      await tool('dd', `if=${image}`, `of=${disk}`, 'bs=1M', `seek=${start}`, 'conv=sparse', 'status=none');
      truncateSync(disk, (start + megabytes + 1) * MiB);
      const wanted = await blkidAt(disk, start * MiB);
      expect(wanted.type).not.toBeNull();
      const seen = detect(windowAt(disk, start * MiB));
      expect(seen.map(({ type }) => type)).toContain(wanted.type);
      expect(seen.map(({ uuid }) => uuid)).toContain(wanted.uuid);
      expect(new Set(seen.map(({ type }) => type)).size).toBe(1);
      // Elsewhere in it nothing begins for one that does not for the other, but copies that say that they are.
      for (let i = 0; i < 8; i += 1) {
        const at = (start + Math.floor(random() * megabytes)) * MiB;
        const theirs = await blkidAt(disk, at);
        const ours = detect(windowAt(disk, at));
        if (theirs.type !== null) expect(ours.map(({ type }) => type)).toContain(theirs.type);
        else expect(ours.filter(({ uuid }) => uuid !== wanted.uuid)).toEqual([]);
      }
    });
  }
});
