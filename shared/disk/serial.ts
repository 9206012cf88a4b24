/**
 * Whether a serial number tells one disk from another. It does not where a bridge or an emulator made it up: then all of
 * them have it, or it is the slot's, and another disk in that slot has it too. When in doubt it is none (S16): who emulates
 * a disk can give it a serial, and who refuses one too many only asks for that.
 */
export function isTelling(serial: string): boolean {
  const bare = bareSerial(serial);
  return (
    new Set(bare).size > 1 &&
    !madeUp.has(bare) &&
    !slot.test(bare) &&
    !counts.some((row) => row.includes(bare))
  );
}

/** What of a serial is compared to find two names of one disk: letters and digits alone, in lower case. */
export function bareSerial(serial: string): string {
  return serial.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** `0123456789`, `123456789012`, `0123456789ABCDEF`: what cheap USB bridges say. */
const counts = ['0123456789'.repeat(7), '0123456789abcdef'.repeat(4)];

/**
 * QEMU numbers IDE and SATA disks without a serial of their own (`QM00001`); libvirt and Proxmox hand the slot's name on as
 * the serial of a SCSI disk (`drive-scsi0-0-0`).
 */
const slot = /^(?:qm[0-9]{5}|drive[a-z]*[0-9]*|lun[0-9]*|disk[0-9]*|vd[a-z]|sd[a-z]|hd[a-z])$/;

/** Words that stand where nobody wrote a serial, and models that some put there. */
const madeUp: ReadonlySet<string> = new Set([
  ...[
    'none',
    'null',
    'na',
    'nil',
    'empty',
    'unknown',
    'undefined',
    'default',
    'defaultstring',
    'invalid',
    'test',
  ],
  ...['notspecified', 'notavailable', 'notapplicable', 'notset', 'noserial', 'noserialnumber', 'unspecified'],
  ...['serial', 'serialnumber', 'serialno', 'sn', 'systemserialnumber', 'tobefilledbyoem', 'oem'],
  ...['qemuharddisk', 'qemunvmectrl', 'qemudvdrom', 'vboxharddisk', 'vmwarevirtualdisk', 'virtualdisk'],
  ...['msftvirtualdisk', 'virtiodisk', 'harddisk', 'abcdef', 'deadbeef', '0xdeadbeef'],
]);
