import { expect, test } from 'vitest';
import { parseLsblk, wholeDisks, withDescendants } from '../../../shared/disk/block-devices.ts';
import { parseMdstat, parseMounts, parsePvs, parseSwaps, parseZpool } from '../../../shared/disk/in-use.ts';
import { parseSfdisk } from '../../../shared/disk/partition-table.ts';
import { mergeSignatures, parseBlkid, parseWipefs } from '../../../shared/disk/signatures.ts';

function device(name: string, type: string, more: object = {}) {
  return {
    ...{
      name,
      kname: name,
      type,
      size: 1000,
      'maj:min': '  8:0 ',
      'log-sec': 512,
      model: ' M ',
      serial: null,
    },
    ...more,
  };
}

function lsblk(...blockdevices: object[]): string {
  return JSON.stringify({ blockdevices });
}

test('lsblk: only whole disks with something in them, by name, with what was made of them', () => {
  const parsed = parseLsblk(
    lsblk(
      device('sdb', 'disk', { children: [device('sdb1', 'part', { children: [device('dm-0', 'crypt')] })] }),
      ...[device('loop0', 'loop'), device('sr0', 'rom'), device('md0', 'raid1'), device('dm-1', 'lvm')],
      ...[device('ram0', 'disk'), device('zram0', 'disk'), device('fd0', 'disk')],
      ...[device('sdc', 'disk', { size: 0 }), device('cciss/c0d0', 'disk'), device('sda', 'disk')],
    ),
  );
  const disks = parsed.ok ? wholeDisks(parsed.value) : [];
  expect(disks.map(({ name }) => name)).toEqual(['cciss/c0d0', 'sda', 'sdb']);
  expect(disks[1]).toMatchObject({ number: '8:0', model: 'M', serial: null, sector: 512 });
  expect(disks[2] && withDescendants(disks[2]).map(({ name }) => name)).toEqual(['sdb', 'sdb1', 'dm-0']);
});

test('lsblk: sizes may be strings, as before 2.33', () => {
  const parsed = parseLsblk(lsblk(device('sda', 'disk', { size: '4096', 'log-sec': '4096' })));
  expect(parsed).toMatchObject({ ok: true, value: [{ size: 4096, sector: 4096 }] });
});

test.each([
  ['no JSON', 'lsblk: failed'],
  ['a list', '[]'],
  ['a name that leads out of /dev', lsblk(device('../etc/passwd', 'disk'))],
  ['a device without number', lsblk(device('sda', 'disk', { 'maj:min': '' }))],
  ['a negative size', lsblk(device('sda', 'disk', { size: -1 }))],
])('lsblk: %s is not taken for a machine without disks', (_, text) => {
  const parsed = parseLsblk(text);
  expect(parsed.ok ? '' : parsed.failure).toMatch(/not understood/);
});

test('sfdisk: bytes from sectors of the size that it names, else of the size that is known', () => {
  const table = {
    label: 'gpt',
    id: '9098BA14-A46B-436D-AD55-713ADAB8D310',
    device: '/dev/nvme0n1',
    unit: 'sectors',
    partitions: [
      { node: '/dev/nvme0n1p2', start: 100, size: 10, type: 'ABC', uuid: 'DEF' },
      { node: '/dev/nvme0n1p1', start: 10, size: 2, type: '83' },
    ],
  };
  const text = (sectorsize?: number) => JSON.stringify({ partitiontable: { ...table, sectorsize } });
  expect(parseSfdisk(text(), 512)).toEqual({
    ok: true,
    value: {
      label: 'gpt',
      id: '9098ba14-a46b-436d-ad55-713adab8d310',
      partitions: [
        { name: 'nvme0n1p1', number: 1, start: 5120, size: 1024, type: '83', uuid: null },
        { name: 'nvme0n1p2', number: 2, start: 51200, size: 5120, type: 'abc', uuid: 'def' },
      ],
    },
  });
  expect(parseSfdisk(text(4096), 512)).toMatchObject({ value: { partitions: [{ start: 40960 }, {}] } });
  expect(parseSfdisk('', 512).ok).toBe(false);
});

const vfat = `DEVNAME=/dev/loop0p1
SEC_TYPE=msdos
LABEL=A\\ \\"B
UUID=82D0-D375
TYPE=vfat
PART_ENTRY_SCHEME=gpt
PART_ENTRY_UUID=d5c8f2fd-d7f7-4706-8ee0-89e675ba394b
PART_ENTRY_TYPE=0fc63daf-8483-4772-8e79-3d69d8477de4
PART_ENTRY_NUMBER=1
PART_ENTRY_OFFSET=2048
PART_ENTRY_SIZE=81920
`;

test('blkid: content, and where the table has the partition', () => {
  expect(parseBlkid(vfat)).toEqual({
    ...{ type: 'vfat', uuid: '82D0-D375', label: 'A "B', table: null, tableId: null },
    entry: {
      ...{ number: 1, start: 2 ** 20, size: 40 * 2 ** 20 },
      ...{ type: '0fc63daf-8483-4772-8e79-3d69d8477de4', uuid: 'd5c8f2fd-d7f7-4706-8ee0-89e675ba394b' },
    },
  });
});

test('blkid: the entry of a partition is not content', () => {
  const entryOnly = vfat.replace(/^(SEC_TYPE|LABEL|UUID|TYPE)=.*\n/gm, '');
  expect(parseBlkid(entryOnly)).toMatchObject({ type: null, uuid: null, label: null, entry: { number: 1 } });
  expect(mergeSignatures('sda1', [], parseBlkid(entryOnly))).toEqual([]);
});

test('wipefs: nothing printed is nothing found, and anything else that is no JSON is not', () => {
  expect(parseWipefs('', 'sda')).toEqual({ ok: true, value: [] });
  expect(parseWipefs('wipefs: error', 'sda').ok).toBe(false);
  const odd = { device: 'sda', offset: '12', type: 'ext4', uuid: null, label: null };
  expect(parseWipefs(JSON.stringify({ signatures: [odd] }), 'sda').ok).toBe(false);
});

test('signatures: what either program sees is there, and a table has its identifier', () => {
  const at = (offset: string, type: string) => ({ device: 'sda', offset, type, uuid: null, label: null });
  const parsed = parseWipefs(
    JSON.stringify({ signatures: [at('0x257ffe00', 'gpt'), at('0x1fe', 'PMBR')] }),
    'sda',
  );
  const wiped = parsed.ok ? parsed.value : [];
  const blkid = parseBlkid('PTUUID=id\nPTTYPE=gpt\nTYPE=xfs\nUUID=u\n');
  expect(mergeSignatures('sda', wiped, blkid)).toEqual([
    { on: 'sda', type: 'xfs', offset: 0, uuid: 'u', label: null },
    { on: 'sda', type: 'PMBR', offset: 0x1fe, uuid: null, label: null },
    { on: 'sda', type: 'gpt', offset: 0x257ffe00, uuid: 'id', label: null },
  ]);
  expect(mergeSignatures('sda', wiped, null).map(({ type }) => type)).toEqual(['PMBR', 'gpt']);
});

test('mountinfo: places with blanks, optional fields, subvolumes and sources without device', () => {
  const text = `36 35 98:0 / /mnt/with\\040blank rw,noatime shared:1 master:2 - ext3 /dev/root rw,errors=continue
40 35 0:45 /@home /home rw - btrfs /dev/sda2 rw
41 35 0:46 / /proc rw - proc proc rw
not a line
`;
  expect(parseMounts(text)).toEqual([
    { number: '98:0', root: '/', at: '/mnt/with blank', source: '/dev/root' },
    { number: '0:45', root: '/@home', at: '/home', source: '/dev/sda2' },
    { number: '0:46', root: '/', at: '/proc', source: 'proc' },
  ]);
});

test('swaps: devices and files, without the heading', () => {
  const text = 'Filename\t\t\tType\t\tSize\n/dev/sda2   partition\t1\t0\t-2\n/swap\\040file  file 1 0 -3\n';
  expect(parseSwaps(text)).toEqual(['/dev/sda2', '/swap file']);
  expect(parseSwaps('')).toEqual([]);
});

test('mdstat: members of arrays, failed, spare and inactive ones too', () => {
  const text = `Personalities : [raid1]
md127 : inactive sdd[2](S)
      1046528 blocks super 1.2

md0 : active (auto-read-only) raid1 sdb1[1](F) nvme0n1p3[0]
      1046528 blocks super 1.2 [2/1] [U_]

unused devices: <none>
`;
  expect(parseMdstat(text)).toEqual([
    { device: 'sdd', of: 'md127' },
    { device: 'sdb1', of: 'md0' },
    { device: 'nvme0n1p3', of: 'md0' },
  ]);
});

test('pvs: physical volumes that have a group', () => {
  const pv = [
    { pv_name: '/dev/sda2', vg_name: 'vg0' },
    { pv_name: '/dev/sdb', vg_name: '' },
  ];
  expect(parsePvs(JSON.stringify({ report: [{ pv }] }))).toEqual({
    ...{ ok: true, value: [{ device: '/dev/sda2', of: 'vg0' }] },
  });
  expect(parsePvs('no').ok).toBe(false);
});

test('zpool: every device of each pool, whatever its part in it', () => {
  const text = `  pool: tank
 state: ONLINE
config:

\tNAME                                        STATE     READ WRITE CKSUM
\ttank                                        ONLINE       0     0     0
\t  mirror-0                                  ONLINE       0     0     0
\t    /dev/disk/by-id/ata-A-part1             ONLINE       0     0     0
\t    /dev/sdb1                               DEGRADED     0     0     0
\tlogs
\t  /dev/nvme0n1p4                            ONLINE       0     0     0

errors: No known data errors

  pool: other
config:

\t  /dev/sdc                                  ONLINE       0     0     0
`;
  expect(parseZpool(text)).toEqual([
    { device: '/dev/disk/by-id/ata-A-part1', of: 'tank' },
    { device: '/dev/sdb1', of: 'tank' },
    { device: '/dev/nvme0n1p4', of: 'tank' },
    { device: '/dev/sdc', of: 'other' },
  ]);
  expect(parseZpool('no pools available\n')).toEqual([]);
});
