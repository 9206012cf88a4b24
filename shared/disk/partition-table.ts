import * as v from 'valibot';
import { fail, ok, type Result } from '../failure.ts';
import { parseJson } from '../json.ts';
import type { Partition } from './disk.ts';

/** A partition table as sfdisk(8) reads it: of a GPT whose first copy is broken, that may be the second one. */
export interface PartitionTable {
  /** `gpt`, `dos`, … */
  readonly label: string;
  /** The table's own identifier, in lower case; `null` where it has none. */
  readonly id: string | null;
  readonly partitions: readonly Partition[];
}

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const printed = v.object({
  partitiontable: v.object({
    label: v.string(),
    id: v.nullish(v.string(), null),
    device: v.string(),
    unit: v.literal('sectors'),
    // Since util-linux 2.35.
    sectorsize: v.optional(v.pipe(count, v.minValue(1))),
    partitions: v.optional(
      v.array(
        v.object({
          node: v.string(),
          start: count,
          size: count,
          type: v.string(),
          uuid: v.nullish(v.string(), null),
        }),
      ),
      [],
    ),
  }),
});

/**
 * What `sfdisk --json` printed; the failure is a sentence.
 * @param sector bytes of a sector, for an sfdisk that does not say
 */
export function parseSfdisk(text: string, sector: number): Result<PartitionTable, string> {
  const parsed = v.safeParse(printed, parseJson(text));
  if (!parsed.success) {
    const [issue] = parsed.issues;
    return fail(
      `sfdisk printed what is not understood (${v.getDotPath(issue) ?? 'no JSON'}: ${issue.message})`,
    );
  }
  const { label, id, partitions, sectorsize = sector } = parsed.output.partitiontable;
  const found: Partition[] = [];
  for (const { node, start, size, type, uuid } of partitions) {
    const number = /(\d+)$/.exec(node)?.[1];
    if (number === undefined) return fail(`sfdisk names a partition ${node}, which has no number`);
    found.push({
      name: node.replace(/^\/dev\//, ''),
      number: Number(number),
      start: start * sectorsize,
      size: size * sectorsize,
      type: type.toLowerCase(),
      uuid: uuid?.toLowerCase() ?? null,
    });
  }
  return ok({ label, id: id?.toLowerCase() ?? null, partitions: found.sort(byStart) });
}

export function byStart(a: Partition, b: Partition): number {
  return a.start - b.start || a.number - b.number;
}
