import * as v from 'valibot';
import { oneLine } from '../printable.ts';
import type { Child } from './phase.ts';

/** What a lock file says, as one line of JSON. */
export interface Holder extends Child {
  /** Random and never used again: it names this one taking of the lock. */
  readonly id: string;
  /** What the process does, for people. */
  readonly what: string;
}

const schema = v.object({
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  pid: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  started: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  boot: v.string(),
  what: v.pipe(v.string(), v.transform(oneLine)),
});

/** Reads a lock file; `null` when it is not one. */
export function parseHolder(content: string): Holder | null {
  try {
    const parsed = v.safeParse(schema, JSON.parse(content));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}
