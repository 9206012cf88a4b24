import { describe, expect, test } from 'vitest';
import type { Backup } from '../../../shared/disk/backup.ts';
import { diskId, nameBackups } from '../../../shared/disk/backup-name.ts';

const backup = (name: string, content: string): Backup => ({ name, content: Buffer.from(content) });
const shown = (backups: readonly Backup[]): readonly string[] =>
  backups.map(({ name, content }) => `${name}: ${Buffer.from(content).toString()}`);

describe('a disk is called', () => {
  test.each([
    [
      'by maker, model and serial number rather than by a number alone',
      ['wwn-0x5000', 'ata-WDC_1'],
      'ata-WDC_1',
    ],
    [
      'by an NVMe model rather than by its EUI',
      ['nvme-eui.00', 'nvme-Samsung_S1', 'nvme-Samsung_S1_1'],
      'nvme-Samsung_S1',
    ],
    ['by a number if it has nothing else', ['wwn-0x5000'], 'wwn-0x5000'],
    ['never by what is on it', ['lvm-pv-uuid-a', 'dm-name-x'], 'SN_7'],
    ['by a name without characters that a path or a shell minds', ['usb-A B:0/1$(x)'], 'usb-A_B_0_1_x_'],
  ])('%s', (_, ids, name) => {
    for (const order of [ids, [...ids].reverse()]) {
      expect(diskId({ ids: order, serial: 'SN 7', name: 'sda' })).toBe(name);
    }
  });

  test('by its serial number without links, and as the kernel does without one', () => {
    expect(diskId({ ids: [], serial: ' S/N 7 ', name: 'sda' })).toBe('S_N_7');
    expect(diskId({ ids: [], serial: '  ', name: 'sda' })).toBe('sda');
    expect(diskId({ ids: [], serial: null, name: 'cciss!c0d0' })).toBe('cciss_c0d0');
  });
});

describe('backups', () => {
  test('that say the same by the same name are one', () => {
    expect(shown(nameBackups([backup('table-a', 'x'), backup('table-a', 'x')]))).toEqual(['table-a: x']);
  });

  test('with one name are numbered alike, in whatever order they were taken', () => {
    const all = [backup('table-a', 'z'), backup('table-a', 'y'), backup('table-a-2', 'x')];
    const expected = ['table-a: y', 'table-a-2: x', 'table-a-3: z'];
    for (const order of [all, [...all].reverse()]) expect(shown(nameBackups(order))).toEqual(expected);
  });

  test('keep apart what only differs after the hundredth character, or in a character that is replaced', () => {
    const long = `lvm-${'v'.repeat(120)}`;
    const names = nameBackups([
      ...[backup(`${long}a`, '1'), backup(`${long}b`, '2')],
      ...[backup('lvm-a+b', '3'), backup('lvm-a=b', '4')],
    ]).map(({ name }) => name);
    expect(new Set(names).size).toBe(4);
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9._-]{1,100}$/);
  });
});
