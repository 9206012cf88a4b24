import * as v from 'valibot';
import { type Failure, fail, ok, type Result } from '../failure.ts';
import { journalSchema } from './journal-schema.ts';
import type { Journal } from './journal.ts';

/** The bytes of `journal.json`: UTF-8 JSON with a final newline. */
export function serialiseJournal(journal: Journal): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(journal, null, 2)}\n`);
}

/**
 * Reads `journal.json`. What no version would have written is damage; keys of a newer one are dropped. Fails with `held`, never as if there were no journal: without it the host cannot know what it must
 * not go below (S2, P4).
 * @param where the file's path, for the failure
 */
export function parseJournal(bytes: Uint8Array, where: string): Result<Journal> {
  const value = parseJson(bytes);
  if (!value.ok) return fail(held(value.failure, where));
  const format = formatOf(value.value);
  if (typeof format === 'number' && format > 1) return fail(tooNew(format, where));
  const parsed = v.safeParse(journalSchema, value.value);
  if (parsed.success) return ok(parsed.output);
  return fail(held(describe(parsed.issues[0]), where));
}

function parseJson(bytes: Uint8Array): Result<unknown, string> {
  try {
    return ok(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch {
    return fail(bytes.length === 0 ? 'the file is empty' : 'it is not JSON');
  }
}

function formatOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined;
}

/** Says where it is wrong and what was expected, not what was found: a damaged file may hold anything. */
function describe(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? 'the whole file';
  return `${path} is not as expected (${issue.expected ?? issue.type})`;
}

function held(why: string, where: string): Failure {
  return {
    kind: 'held',
    cause: `the agent's journal cannot be read: ${why}`,
    where,
    remedy:
      'this host deploys nothing until root restores the file from a backup, ' +
      'or moves it away and goes on from the records on the server (autark enroll --resume)',
  };
}

function tooNew(format: number, where: string): Failure {
  return {
    kind: 'held',
    cause: `the agent's journal has format ${format}, newer than this autark reads`,
    where,
    remedy:
      'this host deploys nothing until autark is upgraded, root restores the file in format 1, ' +
      'or moves it away and goes on from the records on the server (autark enroll --resume)',
  };
}
