import * as v from 'valibot';
import { fail, ok, type Result } from '../failure.ts';
import { parseJson } from '../json.ts';
import { oneLine } from '../printable.ts';
import type { Partition, Signature } from './disk.ts';

const word = v.pipe(
  v.nullish(v.string(), null),
  v.transform((text) => (text === null ? null : oneLine(text) || null)),
);

const wiped = v.object({
  signatures: v.array(
    v.object({
      offset: v.pipe(
        v.string(),
        v.regex(/^0x[0-9a-f]+$/i),
        v.transform(Number),
        v.check((at) => Number.isSafeInteger(at), 'is too large'),
      ),
      type: v.pipe(v.string(), v.transform(oneLine)),
      uuid: word,
      label: word,
    }),
  ),
});

/** What `wipefs --no-act --json` printed for one device; nothing at all is how it says that it found nothing. */
export function parseWipefs(text: string, on: string): Result<readonly Signature[], string> {
  if (text.trim() === '') return ok([]);
  const parsed = v.safeParse(wiped, parseJson(text));
  if (parsed.success) return ok(parsed.output.signatures.map((each) => ({ on, ...each })));
  const [issue] = parsed.issues;
  return fail(
    `wipefs printed what is not understood (${v.getDotPath(issue) ?? 'no JSON'}: ${issue.message})`,
  );
}

/** What `blkid --probe --output export` says of one device. */
export interface Probed {
  readonly type: string | null;
  readonly uuid: string | null;
  readonly label: string | null;
  /** The kind of partition table on it, and the table's own identifier. */
  readonly table: string | null;
  readonly tableId: string | null;
  /** As the table has it, for a partition: an entry is no content. */
  readonly entry: Omit<Partition, 'name'> | null;
}

/** `KEY=value` lines with blanks and quotes escaped by a backslash. Its exit code does not say whether anything is there. */
export function parseBlkid(text: string): Probed {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) values.set(line.slice(0, at), oneLine(line.slice(at + 1).replace(/\\(.)/g, '$1')));
  }
  const of = (key: string): string | null => values.get(key) || null;
  return {
    type: of('TYPE'),
    uuid: of('UUID'),
    label: of('LABEL'),
    table: of('PTTYPE'),
    tableId: of('PTUUID'),
    entry: entryOf(of),
  };
}

/** blkid counts sectors of 512 bytes, whatever the disk's own are. */
function entryOf(of: (key: string) => string | null): Probed['entry'] {
  const [number, start, size] = ['NUMBER', 'OFFSET', 'SIZE'].map((key) =>
    Number(of(`PART_ENTRY_${key}`) ?? NaN),
  ) as [number, number, number];
  const type = of('PART_ENTRY_TYPE');
  if (![number, start, size].every(Number.isSafeInteger) || type === null) return null;
  return {
    number,
    start: start * 512,
    size: size * 512,
    type: type.toLowerCase().replace(/^0x/, ''),
    uuid: of('PART_ENTRY_UUID'),
  };
}

/**
 * Both programs see what the other may not: wipefs the second copy of a GPT, blkid the table's identifier, and superblocks
 * that it judges by more than their magic. What blkid alone sees is at offset 0, for it names none.
 */
export function mergeSignatures(
  on: string,
  wipefs: readonly Signature[],
  probed: Probed | null,
): readonly Signature[] {
  const merged = wipefs.map((each) =>
    each.uuid === null && each.type === probed?.table ? { ...each, uuid: probed.tableId } : each,
  );
  if (probed !== null) {
    const { type, uuid, label, table, tableId } = probed;
    const has = (wanted: string): boolean => wipefs.some((each) => each.type === wanted);
    if (type !== null && !has(type)) merged.push({ on, type, offset: 0, uuid, label });
    if (table !== null && table !== type && !has(table)) {
      merged.push({ on, type: table, offset: 0, uuid: tableId, label: null });
    }
  }
  return merged.sort(byOffset);
}

export function byOffset(a: Signature, b: Signature): number {
  return a.offset - b.offset || (a.type < b.type ? -1 : a.type > b.type ? 1 : 0);
}
