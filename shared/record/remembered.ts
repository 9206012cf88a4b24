import * as v from 'valibot';
import type { ObjectId } from '../objects/object.ts';
import type { StateRecord } from './tip.ts';

/** The newest good record of a host that a reader has seen. */
export interface Seen {
  readonly seq: number;
  readonly id: ObjectId;
  readonly genesis: ObjectId;
}

/** What a reader remembers from one look at the fleet to the next (S8). */
export interface Remembered {
  /** From which commit on it trusts. */
  readonly introduction: ObjectId;
  /** The newest revision found authentic, under that introduction; `null` before the first. */
  readonly authentic: ObjectId | null;
  /** By host. */
  readonly seen: ReadonlyMap<string, Seen>;
}

const id = v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/));
const seen = v.object({ seq: v.pipe(v.number(), v.integer(), v.minValue(0)), id, genesis: id });
const schema = v.object({
  format: v.literal(1),
  introduction: id,
  authentic: v.nullable(id),
  seen: v.record(v.string(), seen),
});

/** Reads what `formatRemembered` wrote; `null` for anything else, as nobody may depend on it. */
export function parseRemembered(text: string): Remembered | null {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  if (!parsed.success) return null;
  const { introduction, authentic } = parsed.output;
  return { introduction, authentic, seen: new Map(Object.entries(parsed.output.seen)) };
}

export function formatRemembered({ introduction, authentic, seen: hosts }: Remembered): string {
  const names = [...hosts.keys()].sort();
  const sorted = Object.fromEntries(names.map((name) => [name, hosts.get(name)]));
  return `${JSON.stringify({ format: 1, introduction, authentic, seen: sorted }, null, 2)}\n`;
}

/**
 * What is wrong with what a server shows of a host now, beside what was seen before (S8); `undefined` when nothing
 * is. A host with another genesis is another machine: what was seen says nothing of it.
 * @param now the good tip; `null` when there is no branch
 * @param follows whether the record that was seen lies on the tip's chain
 */
export function stepBack(
  before: Seen,
  now: Pick<StateRecord, 'seq' | 'id' | 'genesis'> | null,
  follows: boolean,
): string | undefined {
  const known = `record ${before.seq} (${before.id.slice(0, 7)})`;
  if (now === null) return `its branch is gone from the server, where ${known} was seen`;
  if (now.genesis !== before.genesis || now.id === before.id || follows) return undefined;
  return now.seq < before.seq
    ? `it was set back on the server to record ${now.seq}: ${known} was seen before`
    : `its history was rewritten: ${known} was seen before, and no longer belongs to it`;
}
