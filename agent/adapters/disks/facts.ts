import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlockDevice, withDescendants } from '../../../shared/disk/block-devices.ts';
import {
  type Membership,
  parseMdstat,
  parseMounts,
  parsePvs,
  parseSwaps,
  parseZpool,
} from '../../../shared/disk/in-use.ts';
import type { Told, UseFacts } from '../../../shared/disk/uses.ts';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import { oneLine } from '../../../shared/printable.ts';
import { errorCode, fileFailure } from '../file-failure.ts';
import type { Ask } from './ask.ts';
import { blockNumber, nodes } from './nodes.ts';
import { loopsOverDevices } from './openers.ts';

/** Who uses block devices, as the kernel and those who manage volumes say. */
export async function useFacts(devices: readonly BlockDevice[], ask: Ask): Promise<Result<UseFacts>> {
  const own = await kernelText('/proc/self/mountinfo');
  if (!own.ok) return own;
  const swaps = await kernelText('/proc/swaps');
  if (!swaps.ok) return swaps;
  const mdstat = await kernelText('/proc/mdstat');
  if (!mdstat.ok) return mdstat;
  // The agent may see fewer mounts than the machine has, and process 1 need not be visible.
  const first = await kernelText('/proc/1/mountinfo');
  const mounts = [...parseMounts(own.value), ...(first.ok ? parseMounts(first.value) : [])];
  return ok({
    mounts: await Promise.all(
      mounts.map(async (mount) => ({ ...mount, device: await numbered(mount.source) })),
    ),
    swaps: await Promise.all(parseSwaps(swaps.value).map(numbered)),
    arrays: parseMdstat(mdstat.value),
    btrfs: await mountedBtrfs(),
    loops: await loopsOverDevices(),
    holders: (await Promise.all(devices.flatMap(withDescendants).map(holdersOf))).flat(),
    groups: await volumeGroups(ask),
    pools: await zfsPools(ask),
  });
}

/** A file that the kernel has only with what it tells of is empty without it. Any other trouble is one. */
async function kernelText(path: string): Promise<Result<string>> {
  try {
    return ok(await readFile(path, 'utf8'));
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? ok('') : fail(fileFailure(error, 'read what is in use', path));
  }
}

/** A path below `/dev` as the device's number; anything else as it is. Only there, for a mount's source may hang. */
async function numbered(path: string): Promise<string> {
  return path.startsWith(`${nodes}/`) ? ((await blockNumber(path)) ?? path) : path;
}

async function holdersOf({ name }: BlockDevice): Promise<readonly Membership[]> {
  const holders = await readdir(`/sys/class/block/${inSys(name)}/holders`).catch(() => []);
  return Promise.all(
    holders.map(async (holder) => {
      const mapped = await readFile(`/sys/class/block/${holder}/dm/name`, 'utf8').catch(() => '');
      return { device: name, of: mapped === '' ? holder : `${holder} (${oneLine(mapped)})` };
    }),
  );
}

/** A name with a slash, such as `cciss/c0d0`, is spelt so below `/sys`. */
export function inSys(name: string): string {
  return name.replaceAll('/', '!');
}

/** Linux, fs/btrfs/sysfs.c: a folder for each file system that is mounted, with a link for each of its devices. */
async function mountedBtrfs(): Promise<readonly Membership[]> {
  const folder = '/sys/fs/btrfs';
  const all = await readdir(folder).catch(() => []);
  const members = await Promise.all(
    all.map(async (of) => {
      const devices = await readdir(join(folder, of, 'devices')).catch(() => []);
      return devices.map((device) => ({ device, of }));
    }),
  );
  return members.flat();
}

/** Reads alone, and takes no lock. */
async function volumeGroups(ask: Ask): Promise<Told<readonly Membership[]>> {
  const answer = await ask('pvs', ['--readonly', '--reportformat', 'json', '--options', 'pv_name,vg_name']);
  if (answer.code !== 0) return { untold: `pvs ${answer.how}` };
  const parsed = parsePvs(answer.stdout);
  return parsed.ok ? { told: await numberedMembers(parsed.value) } : { untold: parsed.failure };
}

/** Without the kernel's part of ZFS no pool can be in use, whatever an old label says. */
async function zfsPools(ask: Ask): Promise<Told<readonly Membership[]>> {
  if (!existsSync('/sys/module/zfs')) return { told: [] };
  const answer = await ask('zpool', ['status', '-P']);
  if (answer.code !== 0) return { untold: `zpool ${answer.how}` };
  return { told: await numberedMembers(parseZpool(answer.stdout)) };
}

function numberedMembers(members: readonly Membership[]): Promise<readonly Membership[]> {
  return Promise.all(members.map(async ({ device, of }) => ({ device: await numbered(device), of })));
}
