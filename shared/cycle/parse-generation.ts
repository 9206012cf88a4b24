import * as v from 'valibot';
import type { Generation } from './journal.ts';
import { parseJson } from '../json.ts';

const text = v.pipe(v.string(), v.minLength(1));
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const formatOne = v.object({ format: v.literal(1) });

/** `generation.json`, format 1, without its `format`. */
const schema = v.object({
  number: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  revision: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/)),
  kind: v.picklist(['nixos', 'exec']),
  path: v.pipe(v.string(), v.startsWith('/')),
  digest: text,
  inputs: v.exactOptional(text),
  root: v.exactOptional(text),
  agent: v.exactOptional(sha256),
  secrets: v.exactOptional(sha256),
});

export function serialiseGeneration(generation: Generation): string {
  return `${JSON.stringify({ format: 1, ...generation }, null, 2)}\n`;
}

/** Reads `generation.json`; `null` when it is half-written, damaged or of another format. */
export function parseGeneration(content: string): Generation | null {
  const value = parseJson(content);
  const parsed = v.safeParse(schema, value);
  return parsed.success && v.is(formatOne, value) ? parsed.output : null;
}
