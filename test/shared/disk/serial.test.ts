import { expect, test } from 'vitest';
import { bareSerial, isTelling } from '../../../shared/disk/serial.ts';

test.each([
  ['WD-WCC4N5PF96KD', 'a disk of Western Digital'],
  ['S3Z9NB0K123456A', 'one of Samsung'],
  ['VB2c1e6a0e-9f1d8c3b', 'VirtualBox makes one for each image'],
  ['DISKA', 'somebody gave it to an emulated disk'],
  ['19437281', 'a volume of a provider'],
])('%s tells: %s', (serial) => {
  expect(isTelling(serial)).toBe(true);
});

test.each([
  ...['', '   ', '0', '00000000', '0000-0000', 'FFFFFFFF', 'xxxx', '-', '????'],
  ...[
    'None',
    'none ',
    'N/A',
    'Unknown',
    'Not Specified',
    'Default string',
    'To be filled by O.E.M.',
    '(null)',
  ],
  ...[
    '0123456789ABCDEF',
    '123456789012',
    '1234567890',
    'System Serial Number',
    'QEMU HARDDISK',
    'VBOX HARDDISK',
  ],
  ...['QM00001', 'qm00013', 'drive-scsi0', 'drive-scsi0-0-0', 'drive-virtio-disk0', 'lun0', 'sda'],
])('“%s” does not tell one disk from another', (serial) => {
  expect(isTelling(serial)).toBe(false);
});

test('what differs in case, blanks and hyphens alone is the same serial number', () => {
  expect(bareSerial(' WD-Wcc4 n5')).toBe(bareSerial('wdwcc4n5'));
  expect(bareSerial('WD1')).not.toBe(bareSerial('WD2'));
});
