import { expect, test } from 'vitest';
import { backupDevices } from '../../../shared/disk/backup-devices.ts';

const node = (kname: string, type: string, more: object = {}) => ({
  ...{ name: kname, kname, path: `/dev/${kname}`, type, size: 1, serial: null, fstype: null, uuid: null },
  ...more,
});

const stableNames = (blockdevices: readonly unknown[], ids: Record<string, string[]> = {}) =>
  backupDevices({ blockdevices }, new Map(Object.entries(ids)))?.map(
    ({ name, stable }) => `${name} ${stable}`,
  );

test('partitions are called after their disk, whatever the kernel calls both', () => {
  const nvme = node('nvme0n1', 'disk', { children: [node('nvme0n1p12', 'part')] });
  const sda = node('sda', 'disk', { serial: 'S1', children: [node('sda3', 'part')] });
  expect(stableNames([nvme, sda], { nvme0n1: ['nvme-eui.1', 'nvme-X_1'] })).toEqual([
    ...['nvme0n1 nvme-X_1', 'nvme0n1p12 nvme-X_1-part12'],
    ...['sda S1', 'sda3 S1-part3'],
  ]);
});

test('what is made of disks has the name that people or its superblock gave it, and comes once', () => {
  const volume = node('dm-4', 'lvm', { name: 'vg0-root' });
  const array = node('md127', 'raid1', { children: [volume] });
  const disks = ['sda', 'sdb'].map((name) => node(name, 'disk', { children: [array] }));
  expect(stableNames(disks, { md127: ['md-name-host:0', 'md-uuid-aa:bb'] })).toEqual([
    ...['sda sda', 'md127 md-uuid-aa_bb', 'dm-4 mapper/vg0-root', 'sdb sdb'],
  ]);
});

test('loop, RAM and optical devices are none, nor what is on them', () => {
  const loop = node('loop0', 'loop', { children: [node('loop0p1', 'part')] });
  expect(stableNames([loop, node('zram0', 'disk'), node('sr0', 'rom'), node('zd0', 'disk')])).toEqual([]);
});

test('a list that cannot be understood is not an empty one', () => {
  for (const listed of [null, [], {}, { blockdevices: {} }, { blockdevices: [{ name: 'sda' }] }, 'x']) {
    expect(backupDevices(listed, new Map())).toBeNull();
  }
  const halfway = node('sda', 'disk', { children: [{ kname: 'sda1' }] });
  expect(backupDevices({ blockdevices: [halfway] }, new Map())).toBeNull();
});
