import { compareBytes } from './backup-order.ts';
import type { Backup } from './backup.ts';

/** Characters that a backup's name may have. */
const longest = 100;

/**
 * Families of names below `/dev/disk/by-id`, the most telling first: with maker, model and serial number in them. The last
 * three are good names as well, but say nothing to a person.
 */
const families = ['ata-', 'nvme-', 'scsi-', 'virtio-', 'mmc-', 'usb-', '', 'nvme-eui.', 'nvme-nvme.', 'wwn-'];

/** Links that lead to a disk for what is on it. */
const ofContents = /^(dm|md|lvm)-/;

/** What a disk is called: by its most telling name, else its serial number, else as the kernel calls it just now. */
export function diskId(disk: {
  readonly ids: readonly string[];
  readonly serial: string | null;
  readonly name: string;
}): string {
  const [id] = disk.ids
    .filter((each) => !ofContents.test(each))
    .sort((a, b) => familyOf(a) - familyOf(b) || a.length - b.length || (a < b ? -1 : 1));
  const serial = plain(disk.serial ?? '');
  return plain(id ?? '') || serial || plain(disk.name);
}

function familyOf(id: string): number {
  const longestFirst = [...families.keys()].sort(
    (a, b) => (families[b] ?? '').length - (families[a] ?? '').length,
  );
  return longestFirst.find((each) => id.startsWith(families[each] ?? '')) ?? families.length;
}

/** Only characters that are safe in a path, a URL and a shell. */
export function plain(text: string): string {
  return text.trim().replace(/[^A-Za-z0-9._-]+/g, '_');
}

/**
 * Gives each its own name. What has the same name and says the same is one backup, such as the table of a disk that two
 * ways lead to. What only has the same name is numbered in the order of its bytes: the kernel's order, and so that of
 * whoever asks, may be another one after the next boot.
 */
export function nameBackups(taken: readonly Backup[]): readonly Backup[] {
  const groups = new Map<string, Backup[]>();
  for (const { name, content } of taken) {
    const cut = plain(name).slice(0, longest);
    const group = groups.get(cut) ?? [];
    if (!group.some((each) => compareBytes(each.content, content) === 0)) group.push({ name: cut, content });
    groups.set(cut, group);
  }
  const names = new Set(groups.keys());
  const named = [...groups.values()].flatMap((group) =>
    group
      .sort((a, b) => compareBytes(a.content, b.content))
      .map((each, index) => (index === 0 ? each : { ...each, name: freeName(each.name, index + 1, names) })),
  );
  return named.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function freeName(name: string, from: number, names: Set<string>): string {
  for (let number = from; ; number += 1) {
    const ending = `-${number}`;
    const free = name.slice(0, longest - ending.length) + ending;
    if (names.has(free)) continue;
    names.add(free);
    return free;
  }
}
