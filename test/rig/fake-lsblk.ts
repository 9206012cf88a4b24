/** Where programs of the machine are. */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface FakeDisk {
  readonly loop: string;
  readonly model: string | null;
  readonly serial: string | null;
  /** Its names below `/dev/disk/by-id`. */
  readonly ids: readonly string[];
}

/** A program that asks the machine's `lsblk` about these loop devices alone, and says that they are disks. */
export function fakeLsblk(disks: readonly FakeDisk[]): string {
  return `#!${process.execPath}
const { execFileSync } = require('node:child_process');
const disks = ${JSON.stringify(disks)};
const args = [...process.argv.slice(2), ...disks.map(({ loop }) => loop)];
const said = disks.length === 0
  ? { blockdevices: [] }
  : JSON.parse(execFileSync('lsblk', args, { env: { PATH: ${JSON.stringify(systemPath)}, LC_ALL: 'C' } }));
for (const device of said.blockdevices) {
  const { model, serial } = disks.find(({ loop }) => loop === '/dev/' + device.kname);
  Object.assign(device, { type: 'disk', model, serial });
}
console.log(JSON.stringify(said));
`;
}
