import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlockDevice } from '../../../shared/disk/block-devices.ts';
import type { Disk, Partition, Signature } from '../../../shared/disk/disk.ts';
import { byStart, parseSfdisk, type PartitionTable } from '../../../shared/disk/partition-table.ts';
import {
  byOffset,
  mergeSignatures,
  parseBlkid,
  parseWipefs,
  type Probed,
} from '../../../shared/disk/signatures.ts';
import { doubtsOf, type UseFacts, usesOf } from '../../../shared/disk/uses.ts';
import { oneLine } from '../../../shared/printable.ts';
import type { Ask } from './ask.ts';
import { inSys } from './facts.ts';
import { blockNumber, nodes } from './nodes.ts';

/** What all disks of one look have in common. */
export interface Surroundings {
  readonly ask: Ask;
  readonly facts: UseFacts;
  /** Names below `/dev/disk/by-id`, by device number. */
  readonly ids: ReadonlyMap<string, readonly string[]>;
}

export interface Looked {
  readonly disk: Disk;
  /** The partition table's own identifier. */
  readonly tableId: string | null;
  /** What could not be found out of what lies on it, in sentences; they are among `uses`, too. */
  readonly doubts: readonly string[];
}

/** One whole disk, as far as programs and the kernel tell. Whether it may be opened alone is for others to find out. */
export async function lookAt(device: BlockDevice, { ask, facts, ids }: Surroundings): Promise<Looked> {
  const whole = await probe(device.name, `${nodes}/${device.name}`, ask);
  const read = await tableOn(device, whole.probed, ask);
  const parts = await Promise.all(
    device.children.filter(({ type }) => type === 'part').map((part) => kernelPart(part)),
  );
  const listed = read.table?.partitions ?? [];
  const signatures: Signature[] = [...whole.signatures];
  const doubts = [...whole.doubts, ...read.doubts];
  const partitions: Partition[] = [];
  for (const part of [...listed, ...parts.filter(({ name }) => !listed.some((each) => each.name === name))]) {
    const seen = await probePart(part, device, parts, ask);
    signatures.push(...seen.signatures);
    doubts.push(...seen.doubts);
    partitions.push(listed.includes(part) ? part : { ...part, ...seen.probed?.entry });
  }
  partitions.sort(byStart);
  const order = [device.name, ...partitions.map(({ name }) => name)];
  return {
    disk: {
      name: device.name,
      ids: ids.get(device.number) ?? [],
      model: device.model,
      serial: device.serial ?? (await serialInSys(device.name)),
      size: device.size,
      table: read.table?.label ?? whole.probed?.table ?? null,
      partitions,
      signatures: signatures.sort((a, b) => order.indexOf(a.on) - order.indexOf(b.on) || byOffset(a, b)),
      uses: [...new Set([...usesOf(device, facts), ...doubtsOf(signatures, facts), ...doubts])].sort(),
    },
    tableId: read.table?.id ?? whole.probed?.tableId ?? null,
    doubts,
  };
}

/** Where udev has not told lsblk yet, or there is none: virtio and NVMe (Linux, Documentation/ABI/stable/sysfs-block). */
async function serialInSys(name: string): Promise<string | null> {
  for (const file of ['serial', 'device/serial']) {
    const text = await readFile(join('/sys/class/block', inSys(name), file), 'utf8').catch(() => '');
    const serial = oneLine(text);
    if (serial !== '') return serial;
  }
  return null;
}

async function tableOn(
  device: BlockDevice,
  probed: Probed | null,
  ask: Ask,
): Promise<{ table: PartitionTable | null; doubts: readonly string[] }> {
  const answer = await ask('sfdisk', ['--json', `${nodes}/${device.name}`]);
  if (answer.code === 0) {
    const parsed = parseSfdisk(answer.stdout, device.sector);
    if (parsed.ok) return { table: parsed.value, doubts: [] };
    return { table: null, doubts: [`the partition table of ${device.name}: ${parsed.failure}`] };
  }
  // It exits with 1 as well when there is no table. Where blkid sees one, or there is no time, the table is not known.
  const isNone = answer.code !== null && (probed?.table ?? null) === null;
  if (isNone || answer.isAbsent) return { table: null, doubts: [] };
  const why = `sfdisk ${answer.how}`;
  return { table: null, doubts: [`the partition table of ${device.name} cannot be read: ${why}`] };
}

/** A partition as the kernel has it; its type and UUID only the table knows. */
async function kernelPart({ name, size, number }: BlockDevice): Promise<Partition & { device: string }> {
  const start = await readFile(`/sys/class/block/${inSys(name)}/start`, 'utf8').catch(() => '0');
  const index = Number(/(\d+)$/.exec(name)?.[1] ?? 0);
  return { name, number: index, start: Number(start) * 512, size, type: '', uuid: null, device: number };
}

interface Seen {
  readonly signatures: readonly Signature[];
  readonly probed: Probed | null;
  readonly doubts: readonly string[];
}

/** The types of a DOS table that hold further partitions. */
const extended = ['5', 'f', '85'];

/** What lies on a partition; where the kernel has none of that name, at its place on the disk. */
async function probePart(
  part: Partition,
  disk: BlockDevice,
  parts: readonly (Partition & { device: string })[],
  ask: Ask,
): Promise<Seen> {
  const known = parts.find(({ name }) => name === part.name);
  if (known === undefined) {
    const place = ['--offset', String(part.start), '--size', String(part.size)];
    const { probed, doubts } = await askBlkid(part.name, `${nodes}/${disk.name}`, place, ask);
    return { signatures: mergeSignatures(part.name, [], probed), probed, doubts };
  }
  // Of an extended partition the kernel shows the beginning alone.
  const isMoved = known.start !== part.start || (known.size !== part.size && !extended.includes(part.type));
  if (isMoved) {
    const doubt = `${part.name} is not where the partition table has it: the kernel has not read the table again`;
    return { signatures: [], probed: null, doubts: [doubt] };
  }
  if ((await blockNumber(`${nodes}/${part.name}`)) !== known.device) {
    return { signatures: [], probed: null, doubts: [`there is no ${nodes}/${part.name} to look at`] };
  }
  return probe(part.name, `${nodes}/${part.name}`, ask);
}

async function probe(name: string, node: string, ask: Ask): Promise<Seen> {
  const answer = await ask('wipefs', ['--no-act', '--json', node]);
  const isGood = answer.code === 0;
  const wiped = isGood ? parseWipefs(answer.stdout, name) : null;
  const blkid = await askBlkid(name, node, [], ask);
  const doubts = [...blkid.doubts];
  if (wiped === null) doubts.push(`what lies on ${name} cannot be told: wipefs ${answer.how}`);
  else if (!wiped.ok) doubts.push(`what lies on ${name} cannot be told: ${wiped.failure}`);
  const found = wiped?.ok === true ? wiped.value : [];
  return { signatures: mergeSignatures(name, found, blkid.probed), probed: blkid.probed, doubts };
}

/** Exit codes of a low-level probe, blkid(8): something, nothing, or more than one thing that wipefs will name. */
const probeCodes = [0, 2, 8];

async function askBlkid(
  name: string,
  node: string,
  place: readonly string[],
  ask: Ask,
): Promise<Omit<Seen, 'signatures'>> {
  const answer = await ask('blkid', ['--probe', ...place, '--output', 'export', node]);
  // A device that it cannot open is 2 as well, and then it says why.
  const isGood =
    answer.code !== null &&
    probeCodes.includes(answer.code) &&
    !(answer.code === 2 && answer.complaint !== '');
  if (isGood) return { probed: parseBlkid(answer.stdout), doubts: [] };
  return { probed: null, doubts: [`what lies on ${name} cannot be told: blkid ${answer.how}`] };
}
