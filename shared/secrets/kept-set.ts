import { createHash, createHmac } from 'node:crypto';
import * as v from 'valibot';
import type { Held, Placing } from './secret.ts';
import { parseJson } from '../json.ts';

/**
 * One secret of a kept set: how it is placed, and what there is of it. Both `value` and `cause` where the file of its
 * revision could not be opened, and the last good value stands in for it (S14).
 */
export interface KeptSecret extends Placing {
  readonly value?: SealedValue;
  /** Why the file of its revision could not be opened. */
  readonly cause?: string;
}

export interface SealedValue {
  readonly sealed: Uint8Array;
  /** As `digestOf` makes it. */
  readonly digest: string;
}

const text = v.pipe(v.string(), v.minLength(1));
const hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const base64 = v.pipe(v.string(), v.base64());

/** `var/lib/autark/secrets/ID.json`, format 1. Names become names of files: none leads elsewhere. */
const schema = v.object({
  format: v.literal(1),
  secrets: v.array(
    v.object({
      name: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]*$/)),
      owner: text,
      group: text,
      mode: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(0o777)),
      path: v.exactOptional(v.pipe(v.string(), v.startsWith('/'))),
      restart: v.array(text),
      reload: v.array(text),
      early: v.boolean(),
      value: v.exactOptional(v.object({ sealed: base64, digest: hex })),
      cause: v.exactOptional(v.string()),
    }),
  ),
});

export function serialiseKept(secrets: readonly KeptSecret[]): string {
  const written = secrets.map(({ value, ...rest }) => ({
    ...rest,
    ...(value === undefined
      ? {}
      : { value: { sealed: Buffer.from(value.sealed).toString('base64'), digest: value.digest } }),
  }));
  return `${JSON.stringify({ format: 1, secrets: written }, null, 2)}\n`;
}

/** `null` when it is half-written, damaged or of another format. */
export function parseKept(content: string): readonly KeptSecret[] | null {
  const parsed = v.safeParse(schema, parseJson(content));
  if (!parsed.success) return null;
  return parsed.output.secrets.map(({ value, ...rest }) => ({
    ...rest,
    ...(value === undefined
      ? {}
      : { value: { sealed: Buffer.from(value.sealed, 'base64'), digest: value.digest } }),
  }));
}

/** By which only who has the key could tell a value. The name is part of it: equal values are not seen to be equal. */
export function digestOf(key: Uint8Array, name: string, value: Uint8Array): string {
  return createHmac('sha256', key).update(name).update('\0').update(value).digest('hex');
}

/**
 * Equal for sets that come to the same on a machine: names, declarations, values, and which are last good ones. How a
 * value is sealed is no part of it.
 */
export function idOf(secrets: readonly KeptSecret[]): string {
  const rows = secrets.map((each) => [
    ...[each.name, each.owner, each.group, each.mode, each.path ?? null],
    ...[each.restart, each.reload, each.early],
    ...[each.value?.digest ?? null, each.cause !== undefined],
  ]);
  const sorted = rows.map((row) => JSON.stringify(row)).sort();
  return createHash('sha256')
    .update(`[${sorted.join(',')}]`)
    .digest('hex');
}

/** What is told of a secret: one that lives on by its last good value has a cause all the same. */
export function heldOf({ name, value, cause }: KeptSecret): Held {
  if (cause !== undefined) return { name, cause };
  return value === undefined ? { name, cause: 'it has no value' } : { name, digest: value.digest };
}
