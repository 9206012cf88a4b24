import { oneLine } from '../printable.ts';
import { compareText } from './backup-order.ts';

/** What libblkid recognised on a device, by the names that `blkid --probe --output export` gives. */
export type Probed = ReadonlyMap<string, string>;

/** `KEY=value` lines, in which blkid puts a backslash before what a shell would not take as it is. */
export function readProbed(text: string): Probed {
  return new Map(
    text.split('\n').flatMap((line) => {
      const equals = line.indexOf('=');
      if (equals <= 0) return [];
      return [[line.slice(0, equals), oneLine(line.slice(equals + 1).replace(/\\(.)/g, '$1'))] as const];
    }),
  );
}

/** The columns, by what `blkid` calls them elsewhere. Sizes and block counts are left out: they change with use. */
const columns: readonly (readonly [string, string])[] = [
  ['TYPE', 'TYPE'],
  ['VERSION', 'VERSION'],
  ['UUID', 'UUID'],
  ['UUID_SUB', 'UUID_SUB'],
  ['LABEL', 'LABEL'],
  ['PARTUUID', 'PART_ENTRY_UUID'],
  ['PARTLABEL', 'PART_ENTRY_NAME'],
  ['PTTYPE', 'PTTYPE'],
  ['PTUUID', 'PTUUID'],
];

/** A table of what was recognised where: a line a device, sorted. Devices on which nothing was found have none. */
export function filesystemsFile(devices: readonly { name: string; probed: Probed }[]): string {
  const lines = devices.flatMap(({ name, probed }) => {
    const words = columns.flatMap(([key, from]) => {
      const value = probed.get(from);
      return value === undefined ? [] : [`${key}="${value.replace(/["\\]/g, '\\$&')}"`];
    });
    return words.length === 0 ? [] : [`${name} ${words.join(' ')}`];
  });
  return lines.length === 0 ? '' : `${[...new Set(lines)].sort(compareText).join('\n')}\n`;
}
