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
  /** The newest revision of the branch found authentic, under that introduction; `null` before the first. */
  readonly authentic: ObjectId | null;
  /** By host. */
  readonly seen: ReadonlyMap<string, Seen>;
}

const id = v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/));
const seen = v.object({ seq: v.pipe(v.number(), v.integer(), v.minValue(0)), id, genesis: id });
const schema = v.object({
  format: v.literal(1),
  introduction: id,
  /** As versions that knew one branch wrote it, for whichever that was. */
  authentic: v.nullable(id),
  branches: v.exactOptional(v.record(v.string(), id)),
  seen: v.record(v.string(), seen),
});

/**
 * Reads what `formatRemembered` wrote; `null` for anything else, as nobody may depend on it.
 * @param branch whose newest authentic revision it is: what was seen of another says nothing of this one
 */
export function parseRemembered(text: string, branch: string): Remembered | null {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  if (!parsed.success) return null;
  const { introduction, branches } = parsed.output;
  const own = branches === undefined ? parsed.output.authentic : branchesIn(branches).get(branch);
  return { introduction, authentic: own ?? null, seen: new Map(Object.entries(parsed.output.seen)) };
}

/** @param before the text that this one takes the place of, for what it has of other branches */
export function formatRemembered(
  { introduction, authentic, seen: hosts }: Remembered,
  branch: string,
  before: string | null = null,
): string {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), before);
  const isOurs = parsed.success && parsed.output.introduction === introduction;
  const branches = branchesIn(isOurs ? (parsed.output.branches ?? {}) : {});
  if (authentic === null) branches.delete(branch);
  else branches.set(branch, authentic);
  const remembered = { format: 1, introduction, authentic, branches: sorted(branches), seen: sorted(hosts) };
  return `${JSON.stringify(remembered, null, 2)}\n`;
}

function branchesIn(branches: Readonly<Record<string, ObjectId>>): Map<string, ObjectId> {
  return new Map(Object.entries(branches));
}

function sorted<Value>(entries: ReadonlyMap<string, Value>): Record<string, Value> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
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
