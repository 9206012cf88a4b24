import * as v from 'valibot';
import { fail, ok, type Failure, type Result } from '../failure.ts';
import { parseTime } from '../fleet/duration.ts';
import { oneLine } from '../printable.ts';
import { timestamp } from '../record/draft.ts';
import type { Hold } from './hold.ts';

/** Characters of a reason: it goes into records and subjects. */
export const longestReason = 400;

const time = v.pipe(
  v.string(),
  v.transform((text) => parseTime(text) ?? Number.NaN),
  v.number(),
);

/** `hold.json`, format 1. Unknown keys are refused: they may be what limits the hold, or widens it. */
const schema = v.strictObject({
  format: v.literal(1),
  reason: v.pipe(v.string(), v.check(isReason)),
  since: time,
  until: v.exactOptional(time),
  by: v.picklist(['hold', 'rollback']),
});

/** Whether a text can be the reason of a hold: one printable line that is neither empty nor endless. */
export function isReason(text: string): boolean {
  return text !== '' && text.length <= longestReason && oneLine(text) === text;
}

/** The bytes of `hold.json`: UTF-8 JSON with a final newline, times as people read them. */
export function serialiseHold({ reason, since, until, by }: Hold): Uint8Array {
  const end = until === undefined ? {} : { until: timestamp(until) };
  const value = { format: 1, reason, since: timestamp(since), ...end, by };
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Reads `hold.json`, strictly. Fails with `held`, never as if nobody had said anything (P4).
 * @param where the file's path, for the failure
 */
export function parseHold(bytes: Uint8Array, where: string): Result<Hold> {
  const parsed = v.safeParse(schema, parseJson(bytes));
  if (!parsed.success) return fail(unreadable(describe(parsed.issues[0]), where));
  const { format, ...hold } = parsed.output;
  return ok(hold);
}

/** `undefined`, which no schema takes, when it is no JSON. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** Says where it is wrong, not what was found: a damaged file may hold anything. */
function describe(issue: v.BaseIssue<unknown>): string {
  return `${v.getDotPath(issue) ?? 'the whole file'} is not as expected`;
}

function unreadable(why: string, where: string): Failure {
  return {
    kind: 'held',
    cause: `somebody may have held this machine by hand, but that cannot be read: ${why}`,
    where,
    remedy: 'run `autark hold --reason TEXT` on the machine to hold it anew, or `autark resume` to go on',
  };
}
