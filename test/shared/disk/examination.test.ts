import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { BlockDevice } from '../../../shared/disk/block-devices.ts';
import type { Disk, Signature } from '../../../shared/disk/disk.ts';
import { layoutOf, looksOf, newsOf } from '../../../shared/disk/examination.ts';
import { isZero, lookOf, samplePlaces, sweepPlaces } from '../../../shared/disk/samples.ts';
import { doubtsOf, type UseFacts, usesOf } from '../../../shared/disk/uses.ts';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

function signature(on: string, type: string, offset: number, uuid: string | null = null): Signature {
  return { on, type, offset, uuid, label: null };
}

/** A disk with a table and one partition, under the kernel's name for it. */
function diskNamed(name: string, signatures: readonly Signature[] = []): Disk {
  const part = { name: `${name}1`, number: 1, start: MiB, size: GiB, type: 't', uuid: 'p' };
  const plain = { ids: [], model: null, serial: null, size: 2 * GiB, table: 'gpt', uses: [] };
  return { ...plain, name, partitions: [part], signatures };
}

test('samples and places of the sweep are bounded, ascending, and reach from the first byte to the last', () => {
  for (const size of [512, 4096, 5000, MiB, 3 * MiB + 512, GiB, 3 * GiB, 20e12]) {
    const samples = samplePlaces(size);
    expect(samples[0]).toBe(0);
    expect((samples.at(-1) ?? 0) + Math.min(4096, size)).toBe(size);
    const places = sweepPlaces(size);
    expect(places[0]).toBe(0);
    expect(size - (places.at(-1) ?? 0)).toBeLessThanOrEqual(MiB);
    expect(samples.length).toBeLessThanOrEqual(256);
    expect(places.length).toBeLessThanOrEqual(4097);
    for (const all of [samples, places]) expect([...new Set(all)].sort((a, b) => a - b)).toEqual(all);
  }
});

test('the sweep leaves out no MiB of the first and the last GiB', () => {
  const size = 8e12;
  const places = new Set(sweepPlaces(size));
  for (let i = 0; i < 1024; i += 1) {
    expect(places.has(i * MiB)).toBe(true);
    expect(places.has((Math.ceil(size / MiB) - 1 - i) * MiB)).toBe(true);
  }
});

test('zeros, text and random bytes look different', () => {
  expect(lookOf(new Uint8Array(4096))).toBe('zero');
  expect(lookOf(Buffer.alloc(4096, 'The quick brown fox '))).toBe('other');
  for (let i = 0; i < 200; i += 1) expect(lookOf(randomBytes(4096))).toBe('random');
  expect(isZero(Buffer.concat([Buffer.alloc(4095), Buffer.from([1])]))).toBe(false);
});

test('only a disk with nothing at all on it looks blank', () => {
  expect(looksOf([], ['zero', 'zero'], true)).toBe('blank');
  expect(looksOf([], ['zero', 'zero'], false)).toBe('data');
  expect(looksOf([signature('sda', 'gpt', 512)], ['zero'], true)).toBe('data');
  expect(looksOf([], ['zero', 'other'], false)).toBe('data');
});

test('what looks random may be encrypted, unless a signature says what it is', () => {
  expect(looksOf([], ['zero', 'random'], false)).toBe('encrypted?');
  const luks = [signature('sda', 'gpt', 512), signature('sda1', 'crypto_LUKS', 0)];
  const mostlyRandom = ['other', ...new Array<'random'>(99).fill('random')] as const;
  expect(looksOf(luks, mostlyRandom, false)).toBe('encrypted?');
  expect(looksOf([signature('sda', 'xfs', 0)], ['random'], false)).toBe('data');
  expect(looksOf([], ['random', 'other'], false)).toBe('data');
});

test('the layout does not depend on what the kernel calls the disk, nor on labels', () => {
  const of = (name: string, label: string | null) =>
    layoutOf(diskNamed(name, [{ ...signature(`${name}1`, 'ext4', 0x438, 'u'), label }]), 'id', []);
  expect(of('sdb', 'new')).toBe(of('sda', null));
});

test('the layout depends on all else', () => {
  const disk = diskNamed('sda', [signature('sda1', 'ext4', 0x438, 'u')]);
  const [part] = disk.partitions;
  if (part === undefined) throw new Error('the disk has a partition');
  const others = [
    layoutOf(disk, 'id', []),
    layoutOf(disk, 'other', []),
    layoutOf({ ...disk, size: disk.size + 512 }, 'id', []),
    layoutOf({ ...disk, table: 'dos' }, 'id', []),
    layoutOf({ ...disk, partitions: [] }, 'id', []),
    layoutOf({ ...disk, partitions: [{ ...part, start: 2 * MiB }] }, 'id', []),
    layoutOf({ ...disk, partitions: [{ ...part, uuid: 'q' }] }, 'id', []),
    layoutOf({ ...disk, signatures: [signature('sda', 'ext4', 0x438, 'u')] }, 'id', []),
    layoutOf({ ...disk, signatures: [signature('sda1', 'ext4', 0x438, 'v')] }, 'id', []),
    layoutOf({ ...disk, signatures: [signature('sda1', 'xfs', 0x438, 'u')] }, 'id', []),
    layoutOf(disk, 'id', [signature('sda', 'xfs', GiB)]),
  ];
  expect(new Set(others).size).toBe(others.length);
});

test('of what a sweep finds, what is known already is no news, nor is a copy of it', () => {
  const disk = diskNamed('sda', [signature('sda1', 'ext4', 0x438, 'u'), signature('sda', 'gpt', 512)]);
  const stale = signature('sda', 'ext4', 9 * MiB + 0x438, 'old');
  const found = [
    signature('sda', 'ext4', 129 * MiB + 0x38, 'old'),
    stale,
    signature('sda', 'gpt', 512, 'known by its place'),
    signature('sda', 'ext4', MiB + 0x438, 'u'),
    signature('sda', 'ext4', 129 * MiB + 0x38, 'u'),
  ];
  expect(newsOf(disk, found)).toEqual([stale]);
});

function block(
  name: string,
  type: string,
  number: string,
  children: readonly BlockDevice[] = [],
): BlockDevice {
  return { name, shown: name, type, size: 1, number, sector: 512, model: null, serial: null, children };
}

const none: UseFacts = {
  ...{ mounts: [], swaps: [], arrays: [], btrfs: [], holders: [], loops: [] },
  ...{ groups: { told: [] }, pools: { told: [] } },
};

test('a disk is used by whoever uses a part of it, or what is made of one', () => {
  const root = { ...block('dm-0', 'lvm', '254:0'), shown: 'vg0-root' };
  const disk = block('sda', 'disk', '8:0', [
    block('sda1', 'part', '8:1'),
    block('sda2', 'part', '8:2', [root]),
  ]);
  const at = (number: string, at: string, device: string, root = '/') => ({
    number,
    at,
    device,
    source: '',
    root,
  });
  const facts: UseFacts = {
    ...none,
    mounts: [
      ...[at('254:0', '/', '254:0'), at('254:0', '/var/lib/kubelet/pods/a', '254:0', '/var/lib/a')],
      ...[at('0:45', '/data', '8:1', '/@data'), at('8:17', '/other', '8:17')],
    ],
    swaps: ['8:2', '8:33'],
    arrays: [{ device: 'sda1', of: 'md0' }],
    btrfs: [{ device: 'sda1', of: 'U' }],
    holders: [{ device: 'sda2', of: 'dm-0 (vg0-root)' }],
    groups: { told: [{ device: '8:2', of: 'vg0' }] },
    pools: { told: [{ device: '8:0', of: 'tank' }] },
  };
  expect(usesOf(disk, facts)).toEqual([
    'sda belongs to ZFS pool tank',
    'sda1 belongs to the mounted btrfs U',
    'sda1 is a member of md0',
    'sda1 is mounted at /data',
    'sda2 belongs to volume group vg0',
    'sda2 is held by dm-0 (vg0-root)',
    'sda2 is used as swap',
    'vg0-root (on sda) is mounted at /',
  ]);
  expect(usesOf(block('sdb', 'disk', '8:16'), facts)).toEqual([]);
});

test('an old label of a volume manager that does not answer is a doubt, and one that answers leaves none', () => {
  const signatures = [signature('sda1', 'LVM2_member', 536), signature('sdb', 'zfs_member', 0)];
  const untold = { groups: { untold: 'pvs is broken' }, pools: { untold: 'zpool is broken' } };
  expect(doubtsOf(signatures, untold)).toEqual([
    'whether sda1 belongs to a volume group cannot be told: pvs is broken',
    'whether sdb belongs to a ZFS pool cannot be told: zpool is broken',
  ]);
  expect(doubtsOf(signatures, none)).toEqual([]);
  expect(doubtsOf([signature('sda', 'ext4', 0)], untold)).toEqual([]);
});
