import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BlockDevice,
  lsblkArguments,
  parseLsblk,
  wholeDisks,
  withDescendants,
} from '../../../shared/disk/block-devices.ts';
import type { Disk } from '../../../shared/disk/disk.ts';
import type { Examination } from '../../../shared/disk/examination.ts';
import { opensOf } from '../../../shared/disk/uses.ts';
import { fail, type Failure, ok, type Result, sentence } from '../../../shared/failure.ts';
import type { Disks } from '../../disk-ports.ts';
import type { Bounds, Programs } from '../../ports.ts';
import { type Ask, openAsker } from './ask.ts';
import { examineOpened } from './examine.ts';
import { closeSoon, inUse, openDevice } from './exclusive.ts';
import { useFacts } from './facts.ts';
import { glanceBelow } from './glance.ts';
import { lookAt, type Looked, type Surroundings } from './look.ts';
import { blockNumber, idsBelow, nodes, resolved } from './nodes.ts';
import { openersOf } from './openers.ts';

export interface DisksOptions {
  /** `/`, or the folder of `--root`: what udev and LVM keep is below it. The kernel is always this machine's. */
  readonly root: string;
  readonly searchPath: string;
  readonly programs: Programs;
}

/** The disks of this machine. Nothing here opens one to be written. */
export function machineDisks({ root, searchPath, programs }: DisksOptions): Omit<Disks, 'backups'> {
  return {
    glance: () => glanceBelow(root),

    async inventory(bounds) {
      const { ask } = openAsker(programs, searchPath, bounds);
      const around = await surroundings(root, ask);
      if (!around.ok) return around;
      const found: Disk[] = [];
      for (const device of around.value.disks) {
        if (bounds.signal.aborted) return fail(stopped(device.name));
        found.push(await withOpening(await lookAt(device, around.value), device));
      }
      return ok(found);
    },

    async examine(path, bounds) {
      const began = performance.now();
      const { ask } = openAsker(programs, searchPath, bounds);
      const place = join(root, path);
      const at = await resolved(place);
      if (at === null) return fail(noDevice(path));
      const around = await surroundings(root, ask);
      if (!around.ok) return around;
      const device = around.value.disks.find(({ number }) => number === at.number);
      if (device === undefined) return fail(noDisk(path, at.node));
      const opened = await openDevice(at.node, at.number);
      if (!opened.ok) return opened;
      try {
        const looked = await lookAt(device, around.value);
        const [doubt] = looked.doubts;
        if (doubt !== undefined) return fail(doubtful(path, doubt));
        const left: Bounds = { ...bounds, timeout: bounds.timeout - (performance.now() - began) };
        const examined = await examineOpened(device, looked, opened.value, left);
        if (!examined.ok) return examined;
        if ((await resolved(place))?.number !== at.number) return fail(moved(path));
        return ok(await withOpeners(examined.value, device, bounds));
      } finally {
        await closeSoon(opened.value.handle);
      }
    },
  };
}

/** All whole disks that have a node, and what is needed to look at one. */
async function surroundings(
  root: string,
  ask: Ask,
): Promise<Result<Surroundings & { readonly disks: readonly BlockDevice[] }>> {
  const devices = await blockDevices(ask);
  if (!devices.ok) return devices;
  const facts = await useFacts(devices.value, ask);
  if (!facts.ok) return facts;
  const disks: BlockDevice[] = [];
  for (const device of wholeDisks(devices.value)) {
    // A container sees the machine's disks in /sys, and has none of them.
    if ((await blockNumber(`${nodes}/${device.name}`)) === device.number) disks.push(device);
  }
  return ok({ ask, facts: facts.value, ids: await idsBelow(root), disks });
}

async function blockDevices(ask: Ask): Promise<Result<readonly BlockDevice[]>> {
  if (!existsSync('/sys/dev/block')) return ok([]);
  const answer = await ask('lsblk', lsblkArguments);
  if (answer.code !== 0) {
    return fail(unlisted(`lsblk ${answer.how}`));
  }
  // Without any device it prints nothing.
  if (answer.stdout.trim() === '') return ok([]);
  const parsed = parseLsblk(answer.stdout);
  return parsed.ok ? parsed : fail(unlisted(parsed.failure));
}

/**
 * Whether the kernel knows of a use that nobody named. Only where there is none: as long as it is open, others cannot have
 * it, and a moment is enough to keep somebody from mounting.
 */
async function withOpening({ disk }: Looked, device: BlockDevice): Promise<Disk> {
  if (disk.uses.length > 0) return disk;
  const opened = await openDevice(`${nodes}/${device.name}`, device.number);
  if (!opened.ok) {
    return { ...disk, uses: [`whether ${disk.name} is in use cannot be told: ${sentence(opened.failure)}`] };
  }
  await opened.value.handle.close();
  return opened.value.isExclusive ? disk : { ...disk, uses: [inUse(disk.name)] };
}

/** Last of all: whoever opens it later is not met by anything. */
async function withOpeners(examined: Examination, device: BlockDevice, bounds: Bounds): Promise<Examination> {
  // Whoever has it mounted has it open as well.
  if (examined.disk.uses.length > 0) return examined;
  const numbers = new Set(withDescendants(device).map(({ number }) => number));
  const opens = opensOf(device, await openersOf(numbers, bounds));
  return { ...examined, disk: { ...examined.disk, uses: opens } };
}

function unlisted(why: string): Failure {
  return {
    kind: 'unexpected',
    cause: `this machine's disks cannot be listed: ${why}`,
    where: 'lsblk',
    remedy: 'see that lsblk (util-linux) is installed and lists the disks, then run this again',
  };
}

function stopped(where: string): Failure {
  return {
    kind: 'ended',
    cause: 'looking at the disks was stopped',
    where,
    remedy: 'run this again; nothing was changed',
  };
}

function noDevice(path: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${path} leads to no block device`,
    where: path,
    remedy: 'compare it with `ls -l /dev/disk/by-id`, and mend the path or plug the disk in',
  };
}

function noDisk(path: string, node: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${path} leads to ${node}, which is not a whole disk`,
    where: path,
    remedy: 'name a whole disk, as `lsblk --nodeps` lists them',
  };
}

function doubtful(path: string, doubt: string): Failure {
  return {
    kind: 'unexpected',
    cause: doubt,
    where: path,
    remedy: 'mend that, or install util-linux with wipefs and blkid, then run this again',
  };
}

function moved(path: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${path} led to another device once it had been looked at`,
    where: path,
    remedy: 'see that disks are not being plugged in or out, then run this again',
  };
}
