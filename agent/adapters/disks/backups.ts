import { readdir, readlink, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type BackupDevice, backupDevices, deviceColumns } from '../../../shared/disk/backup-devices.ts';
import { filesystemsFile } from '../../../shared/disk/backup-filesystems.ts';
import { nameBackups } from '../../../shared/disk/backup-name.ts';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import { parseJson } from '../../../shared/json.ts';
import type { Disks, Taken } from '../../disk-ports.ts';
import type { Programs } from '../../ports.ts';
import { arraysOf } from './backup-arrays.ts';
import { type Asker, openAsker } from './ask.ts';
import { groupsOf } from './backup-groups.ts';
import { luksOf } from './backup-luks.ts';
import { asText, type Piece } from './backup-piece.ts';
import { type ProbedDevice, probeDevice } from './backup-probe.ts';
import { tableOf } from './backup-tables.ts';

export interface BackupOptions {
  /** `/`, or the folder of `--root`: what must lie in a file for a moment lies below its `run`, if that is in memory. */
  readonly root: string;
  /** Where programs are looked for. */
  readonly searchPath: string;
  readonly programs: Programs;
  /** Where links lead from lasting names to disks; another folder in tests. */
  readonly byId?: string;
}

/** Bytes of one backup, and how many there may be: all of them go into Git, and stay there. */
const largest = 32 * 2 ** 20;
const most = 200;

/** Metadata of this machine's disks, taken by the programs that can bring it back. None of them writes to a disk. */
export function takeBackups({
  root,
  searchPath,
  programs,
  byId = '/dev/disk/by-id',
}: BackupOptions): Disks['backups'] {
  return async ({ luksHeaders }, bounds) => {
    const asker = openAsker(programs, searchPath, bounds);
    const listed = await listDevices(asker, byId);
    if (!listed.ok) return listed;
    const { devices, problems } = await probeAll(listed.value, asker);
    const pieces: Piece[] = [];
    // The table of all file systems is not replaced by one with holes in it.
    if (problems.length === 0) pieces.push(filesystemsOf(devices));
    for (const disk of devices.filter(({ type }) => type === 'disk')) pieces.push(await tableOf(disk, asker));
    pieces.push(...(await groupsOf(devices, asker, root)));
    pieces.push(...(await arraysOf(devices, asker)));
    pieces.push(...(await luksOf(devices, asker, { luksHeaders, root, largest })));
    if (bounds.signal.aborted)
      return fail(unlisted('they were not taken to the end: the agent was asked to stop'));
    return ok(limited([...problems.map((problem) => ({ problem })), ...pieces]));
  };
}

/** Disks that programs can reach: a container is shown those of its machine, and has no device of any. */
async function listDevices(asker: Asker, byId: string): Promise<Result<readonly BackupDevice[]>> {
  const said = await asker.ask('lsblk', ['--json', '--bytes', '--output', deviceColumns.join(',')]);
  if (said.code !== 0) return fail(unlisted(`lsblk ${said.how}`));
  if (said.stdout.trim() === '') return ok([]);
  const devices = backupDevices(parseJson(said.stdout), await namesById(byId));
  if (devices === null) return fail(unlisted('lsblk printed something else than a list of disks'));
  const reachable = await Promise.all(devices.map(({ path }) => isBlockDevice(path)));
  return ok(devices.filter((_, index) => reachable[index]));
}

async function isBlockDevice(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isBlockDevice(),
    () => false,
  );
}

/** Names below `/dev/disk/by-id`, by the kernel's name of what they lead to; without udev there is no such folder. */
async function namesById(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  for (const name of (await readdir(folder).catch(() => [])).sort()) {
    const target = await readlink(join(folder, name)).catch(() => null);
    if (target !== null) found.set(basename(target), [...(found.get(basename(target)) ?? []), name]);
  }
  return found;
}

async function probeAll(
  listed: readonly BackupDevice[],
  asker: Asker,
): Promise<{ readonly devices: readonly ProbedDevice[]; readonly problems: readonly string[] }> {
  const devices: ProbedDevice[] = [];
  const problems: string[] = [];
  for (const each of listed) {
    const { device, problem } = await probeDevice(each, asker);
    devices.push(device);
    if (problem !== null) problems.push(problem);
  }
  return { devices, problems };
}

function filesystemsOf(devices: readonly ProbedDevice[]): Piece {
  const found = devices.flatMap(({ stable, probed }) => (probed === null ? [] : [{ name: stable, probed }]));
  return asText('filesystems', filesystemsFile(found));
}

function limited(pieces: readonly Piece[]): Taken {
  const problems = pieces.flatMap(({ problem }) => problem ?? []);
  const named = nameBackups(pieces.flatMap(({ backup }) => backup ?? []));
  const small = named.filter(({ content }) => content.length <= largest);
  const large = named.filter(({ content }) => content.length > largest);
  problems.push(
    ...large.map(({ name }) => `${name} is larger than ${largest / 2 ** 20} MiB, and is not backed up`),
  );
  if (small.length > most) {
    problems.push(`there are ${small.length} backups, and only the first ${most} by name are kept`);
  }
  return { backups: small.slice(0, most), problems };
}

function unlisted(why: string) {
  return {
    kind: 'unexpected',
    cause: `the metadata of disks could not be backed up: ${why}`,
    remedy:
      'run `lsblk` on the machine, and mend what it complains of (package util-linux); the agent tries again by itself',
  } as const;
}
