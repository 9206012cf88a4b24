import { compareText } from './backup-order.ts';

/** What one member of an array says of itself, as `mdadm --examine` printed it. */
export interface ArrayMember {
  /** A name that stays. */
  readonly name: string;
  readonly examined: string;
}

/** What an array can be made anew by when all superblocks are lost; all else counts, or changes as the array works. */
const lasting = [
  ...['Magic', 'Version', 'Feature Map', 'Array UUID', 'UUID', 'Name', 'Creation Time', 'Raid Level'],
  ...['Raid Devices', 'Avail Dev Size', 'Array Size', 'Used Dev Size', 'Data Offset', 'Super Offset'],
  ...['Device UUID', 'Layout', 'Chunk Size', 'Device Role'],
];

interface ArrayLine {
  device: string | null;
  readonly words: Map<string, string>;
}

/**
 * All arrays as one `mdadm.conf`, whose comments say how each member lies in its array; empty when there is none. An array
 * is one line, however often it was seen. Its name is that in its superblock: numbers are given out as arrays appear.
 */
export function arraysFile(detailed: string, examined: string, members: readonly ArrayMember[]): string {
  const arrays = new Map<string, ArrayLine>();
  readLines(examined, arrays, (device) => device);
  readLines(detailed, arrays, (device) => (/^\/dev\/md\d+$/.test(device) ? null : device));
  const lines = [...arrays.values()].map(({ device, words }) => {
    const sorted = [...words].sort(([a], [b]) => compareText(a, b));
    return [
      'ARRAY',
      ...(device === null ? [] : [device]),
      ...sorted.map(([key, value]) => `${key}=${value}`),
    ].join(' ');
  });
  const about = members.map(({ name, examined: text }) => aboutMember(name, text)).sort(compareText);
  const all = [...lines.sort(compareText), ...about];
  return all.length === 0 ? '' : `${all.join('\n')}\n`;
}

/** What says how many are spare just now, or where members were found. */
const passing = ['spares', 'devices'];

/** `ARRAY [NAME] KEY=VALUE …` (mdadm.conf(5)); what is known already is kept. */
function readLines(
  text: string,
  arrays: Map<string, ArrayLine>,
  nameOf: (device: string) => string | null,
): void {
  for (const line of text.split('\n')) {
    const [head, ...rest] = line.trim().split(/\s+/);
    if (head !== 'ARRAY' && head !== 'INACTIVE-ARRAY') continue;
    const pairs = rest.flatMap((word) => {
      const [, key, value] = /^([a-z-]+)=(.*)$/i.exec(word) ?? [];
      return key === undefined || value === undefined || passing.includes(key) ? [] : [[key, value] as const];
    });
    const uuid = pairs.find(([key]) => key === 'UUID')?.[1] ?? line;
    const array = arrays.get(uuid) ?? { device: null, words: new Map<string, string>() };
    const device = rest.find((word) => word.startsWith('/'));
    array.device ??= device === undefined ? null : nameOf(device);
    for (const [key, value] of pairs) if (!array.words.has(key)) array.words.set(key, value);
    arrays.set(uuid, array);
  }
}

function aboutMember(name: string, text: string): string {
  const facts = text.split('\n').flatMap((line) => {
    const [, key, value] = /^\s*([A-Z][A-Za-z ]*?) : (.*?)\s*$/.exec(line) ?? [];
    return key !== undefined && value !== undefined && lasting.includes(key) ? [`#   ${key}: ${value}`] : [];
  });
  return [`# ${name}`, ...facts].join('\n');
}
