import { createHash } from 'node:crypto';
import type { Disk, Signature } from './disk.ts';
import { detect, detectAtEnd } from './magic.ts';
import type { lookOf } from './samples.ts';
import { byOffset } from './signatures.ts';

/** A disk as it was a moment ago, for whoever has to decide whether a step may destroy what is on it (S16). */
export interface Examination {
  readonly disk: Disk;
  /** The kernel's number of it, such as `8:0`: two paths that lead to one disk have the same. */
  readonly device: string;
  /** SHA-256 in hex over its table and all signatures, also those found behind a table that is gone. */
  readonly layout: string;
  /** SHA-256 in hex over fixed samples. Only the same size, the same layout and the same samples are the same disk. */
  readonly samples: string;
  /**
   * `blank`: no signature, and nothing but zeros wherever it was looked at. `encrypted?`: what was read looks random, as
   * encryption without a header does, and compressed data, too. All else is `data`.
   */
  readonly looks: 'blank' | 'data' | 'encrypted?';
  /** Whether the kernel would give the whole disk to one program alone. */
  readonly isExclusive: boolean;
  /** What begins on it where neither table nor signature says so, by offsets on the whole disk. */
  readonly found: readonly Signature[];
}

/**
 * What nobody knew of: on a disk with a table most that is found at a partition's beginning is that partition's signature,
 * and copies of superblocks have the same UUID.
 */
export function newsOf(disk: Disk, found: readonly Signature[]): readonly Signature[] {
  const starts = new Map(disk.partitions.map(({ name, start }) => [name, start]));
  const known = new Set<string>();
  for (const { on, type, offset, uuid } of disk.signatures) {
    known.add(`${type} at ${offset + (starts.get(on) ?? 0)}`);
    if (uuid !== null) known.add(`${type} ${uuid}`);
  }
  const news: Signature[] = [];
  for (const each of [...found].sort(byOffset)) {
    const place = `${each.type} at ${each.offset}`;
    const name = each.uuid === null ? place : `${each.type} ${each.uuid}`;
    if (known.has(place) || known.has(name)) continue;
    known.add(place).add(name);
    news.push(each);
  }
  return news;
}

/** What begins in bytes that were read at `at`. */
export function foundIn(window: Uint8Array, at: number, on: string): readonly Signature[] {
  return detect(window).map(({ type, offset, uuid }) => ({
    on,
    type,
    offset: at + offset,
    uuid,
    label: null,
  }));
}

/** The same for the end of a disk. */
export function foundAtEnd(tail: Uint8Array, size: number, on: string): readonly Signature[] {
  const begin = size - tail.length;
  return detectAtEnd(tail, size).map(({ type, offset, uuid }) => ({
    ...{ on, type, offset: begin + offset, uuid, label: null },
  }));
}

/**
 * Kernel names are not in it, for they change between boots, nor are labels.
 * @param tableId the table's own identifier, where it has one
 */
export function layoutOf(disk: Disk, tableId: string | null, found: readonly Signature[]): string {
  const numbers = new Map(disk.partitions.map(({ name, number }) => [name, number]));
  const plain = (each: Signature) => [numbers.get(each.on) ?? 0, each.type, each.offset, each.uuid];
  const whole = [
    disk.size,
    [disk.table, tableId],
    disk.partitions.map(({ number, start, size, type, uuid }) => [number, start, size, type, uuid]),
    disk.signatures.map(plain),
    found.map(plain),
  ];
  return createHash('sha256').update(JSON.stringify(whole)).digest('hex');
}

/** What says how a disk is divided, or that something is encrypted, and nothing of what is on it. */
const noContent = new Set(['gpt', 'dos', 'PMBR', 'crypto_LUKS']);

/** A disk that is encrypted as a whole, or in a partition, still has a table and headers that look like what they are. */
const mostly = 0.95;

/**
 * @param looks of all samples
 * @param isAllZero also everywhere else where it was read
 */
export function looksOf(
  signatures: readonly Signature[],
  looks: readonly ReturnType<typeof lookOf>[],
  isAllZero: boolean,
): Examination['looks'] {
  const written = looks.filter((look) => look !== 'zero').length;
  if (signatures.length === 0 && written === 0 && isAllZero) return 'blank';
  if (signatures.some(({ type }) => !noContent.has(type))) return 'data';
  const random = looks.filter((look) => look === 'random').length;
  return random > 0 && random >= written * mostly ? 'encrypted?' : 'data';
}
