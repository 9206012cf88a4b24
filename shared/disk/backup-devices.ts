import { diskId, plain } from './backup-name.ts';

/** A block device that backups are made of: a disk, or what lies on one. */
export interface BackupDevice {
  /** The kernel's name: another one after the next boot, perhaps. */
  readonly name: string;
  /** Where programs find it now. */
  readonly path: string;
  /** As lsblk has it: `disk`, `part`, `lvm`, `crypt`, `raid1`, … */
  readonly type: string;
  /** What it is called in backups, whatever the kernel calls it. */
  readonly stable: string;
  /** As whoever listens to the kernel's events (udev) has noted it; `null` where nobody does, or nothing is there. */
  readonly noted: { readonly type: string | null; readonly uuid: string | null };
  /** Whether the kernel has partitions of it. */
  readonly hasPartitions: boolean;
}

/** What `lsblk --json --bytes` is asked for. */
export const deviceColumns = ['NAME', 'KNAME', 'PATH', 'TYPE', 'SIZE', 'SERIAL', 'FSTYPE', 'UUID'] as const;

/** Disks in name only: they lie in memory, come and go with a medium, or are made of others. */
const noDisk = /^(zram|ram|fd|sr|zd)\d/;

interface Node {
  readonly name: string;
  readonly path: string;
  readonly type: string;
  readonly mapped: string;
  readonly serial: string | null;
  readonly noted: BackupDevice['noted'];
  readonly children: readonly unknown[];
}

/**
 * All disks and what is on them, each once, from what lsblk printed; `null` if that cannot be understood. Loop, RAM and
 * optical devices are left out with all that is on them.
 * @param ids names below `/dev/disk/by-id`, by the kernel's name of what they lead to
 */
export function backupDevices(
  listed: unknown,
  ids: ReadonlyMap<string, readonly string[]>,
): readonly BackupDevice[] | null {
  const roots = fieldsOf(listed)?.['blockdevices'];
  if (!Array.isArray(roots)) return null;
  const found = new Map<string, BackupDevice>();
  const visit = (from: unknown, parent: BackupDevice | null): boolean => {
    const node = readNode(from);
    if (node === null) return false;
    const isLeftOut = node.type === 'loop' || noDisk.test(node.name);
    if (isLeftOut || (parent === null && node.type !== 'disk')) return true;
    const device = found.get(node.name) ?? deviceOf(node, parent, ids.get(node.name) ?? []);
    found.set(node.name, device);
    return node.children.every((child) => visit(child, device));
  };
  if (!roots.every((root: unknown) => visit(root, null))) return null;
  return [...found.values()];
}

function deviceOf(node: Node, parent: BackupDevice | null, ids: readonly string[]): BackupDevice {
  const { name, path, type, noted } = node;
  const hasPartitions = node.children.some((child) => readNode(child)?.type === 'part');
  return { name, path, type, noted, hasPartitions, stable: stableName(node, parent, ids) };
}

function stableName(node: Node, parent: BackupDevice | null, ids: readonly string[]): string {
  const { name, mapped, serial } = node;
  if (parent === null) return diskId({ ids, serial, name });
  const number = name.startsWith(parent.name) ? /^p?(\d+)$/.exec(name.slice(parent.name.length))?.[1] : null;
  if (node.type === 'part' && number != null) return `${parent.stable}-part${number}`;
  // Names below /dev/mapper are given by people, and by LVM from names that people gave.
  if (name.startsWith('dm-')) return `mapper/${plain(mapped)}`;
  const array = ids.find((id) => id.startsWith('md-uuid-'));
  return plain(array ?? name);
}

function readNode(from: unknown): Node | null {
  const fields = fieldsOf(from);
  if (fields === null) return null;
  const text = (key: string): string | null => {
    const value = fields[key];
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const [name, path, type] = [text('kname'), text('path'), text('type')];
  if (name === null || path === null || type === null) return null;
  const children: unknown = fields['children'];
  return {
    ...{ name, path, type, mapped: text('name') ?? name, serial: text('serial') },
    noted: { type: text('fstype'), uuid: text('uuid') },
    children: Array.isArray(children) ? children : [],
  };
}

export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : null;
}
