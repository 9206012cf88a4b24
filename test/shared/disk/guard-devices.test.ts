import { describe, expect, test } from 'vitest';
import { longestLook } from '../../../shared/disk/device-rules.ts';
import type { Observed } from '../../../shared/disk/evidence.ts';
import {
  allow,
  allowDisk,
  approved,
  backup,
  digest,
  look,
  observed,
  paths,
  reasons,
  step,
} from './perfect.ts';

describe('S16: the devices are exactly the approved ones', () => {
  const exact = 'S16 the devices that were approved are not exactly those that the step destroys';

  test('one more than approved, one fewer, and none', () => {
    expect(reasons(allow({ devices: [approved(0)] }))).toContain(exact);
    expect(reasons({ step: { ...step, destroys: [paths[0]] } })).toEqual([
      exact,
      'S16 the step does not destroy this device',
    ]);
    expect(reasons({ step: { ...step, destroys: [] }, ...allow({ devices: [] }) })).toEqual([
      'S16 the step declares no device that it destroys',
    ]);
  });

  test('one named twice, in the step and in the approval alike', () => {
    const twice = { step: { ...step, destroys: [paths[0], paths[0]] } };
    const said = reasons({
      ...twice,
      ...allow({ devices: [approved(0), approved(0)] }),
      devices: [observed(0)],
    });
    expect(said).toContain(exact);
    expect(said).toContain('S16 the step names this device twice');
  });

  test('the serial numbers of two devices are swapped', () => {
    const swapped = [
      { ...observed(0), path: paths[1] },
      { ...observed(1), path: paths[0] },
    ];
    expect(reasons({ devices: swapped })).toEqual([
      'S16 this is another disk: serial WX11A7, approved was WX10A7',
      `S16 its size is ${approved(1).size}, approved were ${approved(0).size} bytes`,
      'S16 its partitions or signatures are not those that were approved',
      'S16 what is written on it is not what was approved',
      'S16 this is another disk: serial WX10A7, approved was WX11A7',
      `S16 its size is ${approved(0).size}, approved were ${approved(1).size} bytes`,
      'S16 its partitions or signatures are not those that were approved',
      'S16 what is written on it is not what was approved',
    ]);
  });

  test('two names of one disk, by the kernel’s number or by the serial', () => {
    expect(reasons(look({ device: '8:16' }))).toEqual(['S16 these names lead to one disk (8:16)']);
    const same = { ...look({ serial: 'wx1-1a7' }), ...allowDisk({ serial: 'wx1-1a7' }) };
    expect(reasons(same)).toEqual(['S16 these disks have one serial number (wx11a7)']);
  });

  test.each([
    ['/dev/sda', 'the kernel’s name'],
    ['/dev/disk/by-uuid/0b1c', 'a name that is written on the disk'],
    ['/dev/disk/by-id/ata-ACME_WX1-part2', 'a partition'],
    ['/dev/disk/by-id/dm-name-vg0-root', 'a volume'],
    ['/dev/disk/by-id/md-uuid-1:2', 'an array'],
    ['/dev/disk/by-id/lvm-pv-uuid-x', 'whichever disk holds that volume group'],
    ['/dev/disk/by-id/../sda', 'a way around'],
  ])('%s is no name for a disk: %s', (path) => {
    const named = { ...observed(0), path };
    const said = reasons({
      step: { ...step, destroys: [path, paths[1]] },
      ...allowDisk({ path }),
      devices: [named, observed(1)],
      backups: [{ ...backup(0), path }, backup(1)],
    });
    expect(said).toEqual(['S16 this name may lead to another disk tomorrow']);
  });

  const unlike: readonly (readonly [string, Partial<Observed>, string])[] = [
    ['another serial', { serial: 'WX9' }, 'this is another disk: serial WX9, approved was WX10A7'],
    ['no serial', { serial: null }, 'this disk has no serial number, so it cannot be told from another'],
    ['a blank serial', { serial: '  ' }, 'this disk has no serial number, so it cannot be told from another'],
    ['another size', { size: 512 }, 'its size is 512, approved were 1000204886016 bytes'],
    ['no size', { size: null }, 'its size is not known, approved were 1000204886016 bytes'],
    [
      'a table that was zeroed',
      { layout: digest('0') },
      'its partitions or signatures are not those that were approved',
    ],
    ['data that was written', { samples: digest('0') }, 'what is written on it is not what was approved'],
    ['no look at the layout', { layout: null }, 'not all of what is on this disk could be looked at'],
    ['no samples', { samples: null }, 'not all of what is on this disk could be looked at'],
    ['no sweep', { found: null }, 'not all of what is on this disk could be looked at'],
    ['no idea how it looks', { looks: null }, 'not all of what is on this disk could be looked at'],
    [
      'a blank disk on which something was found',
      { looks: 'blank', found: [{ on: 'sda', type: 'ext4', offset: 1048576, uuid: null, label: null }] },
      'this disk looks blank, and yet something was found on it',
    ],
    [
      'random bytes',
      { looks: 'encrypted?' },
      'what is written on this disk looks random: it may be encrypted',
    ],
    ['no disk behind the name', { device: null }, 'nobody knows which disk this name leads to'],
    ['in use', { uses: ['sda1 is mounted at /boot'] }, 'this disk is in use: sda1 is mounted at /boot'],
    ['perhaps in use', { uses: null }, 'nobody knows whether this disk is in use'],
    ['busy', { isExclusive: false }, 'this disk could not be opened for the step alone'],
    ['not tried', { isExclusive: null }, 'this disk could not be opened for the step alone'],
    ['seen at no time', { at: null }, 'nobody knows when this device was looked at'],
    [
      'seen before the intent was on the server',
      { at: 900 },
      'this device was looked at before the intent was on the server, and not since',
    ],
    ['seen in the future', { at: 2001 }, 'it is too long ago that this device was looked at'],
  ];
  test.each(unlike)('%s', (_what, changes, expected) => {
    expect(reasons(look(changes))).toContain(`S16 ${expected}`);
  });

  test('a look is good for two minutes, not for longer', () => {
    expect(reasons({ now: 1000 + longestLook })).toEqual([]);
    expect(reasons({ now: 1001 + longestLook })).toEqual([
      'S16 it is too long ago that this device was looked at',
    ]);
  });

  test('a device that could not be looked at, that nobody looked at, and of which there are two answers', () => {
    const failed = [{ path: paths[0], failed: 'read error at 4096' }, observed(1)];
    expect(reasons({ devices: failed })).toEqual([
      'S16 this device could not be looked at: read error at 4096',
    ]);
    expect(reasons({ devices: [observed(1)] })).toEqual(['S16 nobody looked at this device']);
    expect(reasons({ devices: null })).toHaveLength(2);
    const two = [observed(0), { ...observed(0), device: '8:32', serial: 'ZX' }, observed(1)];
    expect(reasons({ devices: two })).toEqual(['S16 there are two answers about this device']);
  });

  test('a digest is one: the same word on both sides does not count', () => {
    expect(reasons({ ...look({ layout: 'none' }), ...allowDisk({ layout: 'none' }) })).toContain(
      'S16 not all of what is on this disk could be looked at',
    );
    expect(reasons({ step: { ...step, files: '' }, ...allow({ files: '' }) })).toHaveLength(1);
  });
});
