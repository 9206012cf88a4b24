import * as v from 'valibot';
import type { Problem } from './findings.ts';
import { found, quote } from './found.ts';
import { nearest } from './name.ts';
import { ruleNamed } from './rules.ts';
import { isEmpty, type MapTree, type Tree } from './tree.ts';

/** What a walk found; unknown keys are apart, as a newer file may use them rightly. */
export interface Verdict {
  readonly problems: readonly Problem[];
  readonly unknown: readonly Problem[];
  /** Plain data for valibot: what the schema knows, without the rest. */
  readonly value: unknown;
}

interface Spot {
  readonly tree: Tree;
  readonly key: string;
  /** Where the key or item begins: the place of what is missing below it. */
  readonly owner: number;
}

interface Findings {
  readonly problems: Problem[];
  readonly unknown: Problem[];
}

/**
 * Holds a tree to a schema. The walk goes through maps and lists itself and hands single values to valibot, which
 * takes a list for a map, stops at an object's first unknown key, and passes over keys such as `constructor`.
 */
export function validate(schema: v.GenericSchema, tree: Tree, key = ''): Verdict {
  const findings: Findings = { problems: [], unknown: [] };
  const value = walk(schema, { tree, key, owner: tree.start }, findings);
  return { ...findings, value };
}

function walk(schema: v.GenericSchema, spot: Spot, findings: Findings): unknown {
  if (isWrapper(schema)) {
    if (schema.type === 'nullable' && isEmpty(spot.tree)) return null;
    return walk(schema.wrapped, spot, findings);
  }
  if (isKeyed(schema)) return walkKeyed(schema, spot, findings);
  if (isNamed(schema)) return walkNamed(schema, spot, findings);
  if (isListing(schema)) return walkList(schema, spot, findings);
  return walkValue(schema, spot, findings);
}

function walkKeyed(schema: Keyed, spot: Spot, findings: Findings): unknown {
  const map = mapAt(
    spot,
    'a map of keys',
    `write the keys ${listed(Object.keys(schema.entries))} below it`,
    findings,
  );
  if (map === undefined) return undefined;
  const value: Record<string, unknown> = {};
  for (const [name, entry] of map.entries) {
    if (name.startsWith('x-')) continue;
    const key = joined(spot.key, name);
    const wanted = Object.hasOwn(schema.entries, name) ? schema.entries[name] : undefined;
    if (wanted === undefined) findings.unknown.push(unknownKey(entry.keyStart, spot.key, name, schema));
    else value[name] = walk(wanted, { tree: entry.value, key, owner: entry.keyStart }, findings);
  }
  for (const [name, wanted] of Object.entries(schema.entries)) {
    if (wanted.type !== 'exact_optional' && !map.entries.has(name))
      findings.problems.push(missing(spot, name, wanted));
  }
  return value;
}

function walkNamed(schema: Named, spot: Spot, findings: Findings): unknown {
  const map = mapAt(spot, 'a map of names', 'write `NAME:` lines below it', findings);
  for (const [name, entry] of map?.entries ?? []) {
    const at: Spot = {
      tree: { kind: 'scalar', start: entry.keyStart, value: name, source: name },
      key: joined(spot.key, quote(name)),
      owner: entry.keyStart,
    };
    walkValue(schema.key, at, findings);
    walk(schema.value, { ...at, tree: entry.value }, findings);
  }
  // Each entry is read again, by its name: a plain object has no room for every name.
  return schema.value.type === 'unknown' && map !== undefined ? plain(map) : {};
}

/** What may be anything, as it was written: whoever judges it is strict. */
function plain(tree: Tree): unknown {
  if (tree.kind === 'scalar') return tree.value;
  if (tree.kind === 'list') return tree.items.map(plain);
  return Object.fromEntries([...tree.entries].map(([name, { value }]) => [name, plain(value)]));
}

function walkList(schema: Listing, spot: Spot, findings: Findings): unknown {
  const { tree, key } = spot;
  if (tree.kind !== 'list') {
    findings.problems.push(
      mismatch(spot, { expected: 'a list', remedy: 'write `[…]`, or lines that begin with `- `' }),
    );
    return undefined;
  }
  return tree.items.map((item, index) =>
    walk(schema.item, { tree: item, key: `${key}[${index}]`, owner: item.start }, findings),
  );
}

function walkValue(schema: v.GenericSchema, spot: Spot, findings: Findings): unknown {
  const { tree } = spot;
  const value = tree.kind === 'scalar' ? tree.value : tree.kind === 'list' ? [] : {};
  const result = v.safeParse(schema, value, { abortPipeEarly: true });
  const [issue] = result.issues ?? [];
  if (issue !== undefined) findings.problems.push(mismatch(spot, ruleNamed(issue.message)));
  return value;
}

function mapAt(spot: Spot, expected: string, remedy: string, findings: Findings): MapTree | undefined {
  if (spot.tree.kind === 'map') return spot.tree;
  findings.problems.push(mismatch(spot, { expected, remedy }));
  return undefined;
}

const anything = { expected: 'something else', remedy: 'see the documentation of the format' };

function mismatch(
  { tree, key, owner }: Spot,
  rule: { expected: string; remedy: string } = anything,
): Problem {
  const start = isEmpty(tree) ? owner : tree.start;
  const cause = `${key === '' ? 'the file' : key} must be ${rule.expected}, not ${found(tree)}`;
  return { start, key, cause, remedy: rule.remedy };
}

function missing({ key, owner }: Spot, name: string, wanted: v.GenericSchema): Problem {
  const path = joined(key, name);
  const rule = ruleNamed(messageOf(wanted));
  const cause = `${path} is missing${rule === undefined ? '' : `: it must be ${rule.expected}`}`;
  return { start: owner, key: path, cause, remedy: rule?.remedy ?? `write \`${name}:\`` };
}

function unknownKey(start: number, owner: string, name: string, schema: Keyed): Problem {
  const known = Object.keys(schema.entries);
  const near = nearest(name, known);
  const cause = `${joined(owner, quote(name))} is not a key that autark knows`;
  const own = 'keys of your own begin with x-';
  if (name === '<<')
    return {
      start,
      key: joined(owner, name),
      cause,
      remedy: 'use `defaults` and `groups`; merge keys are not read',
    };
  const remedy =
    near === undefined ? `known here are ${listed(known)}; ${own}` : `did you mean ${near}? (${own})`;
  return { start, key: joined(owner, quote(name)), cause, remedy };
}

function joined(owner: string, name: string): string {
  return owner === '' ? name : `${owner}.${name}`;
}

function listed(names: readonly string[]): string {
  return names.join(', ');
}

function messageOf(schema: v.GenericSchema): string {
  return 'message' in schema && typeof schema.message === 'string' ? schema.message : '';
}

type Wrapper = v.GenericSchema & {
  readonly type: 'exact_optional' | 'nullable';
  readonly wrapped: v.GenericSchema;
};
type Keyed = v.GenericSchema & { readonly entries: Readonly<Record<string, v.GenericSchema>> };
type Named = v.GenericSchema & { readonly key: v.GenericSchema; readonly value: v.GenericSchema };
type Listing = v.GenericSchema & { readonly item: v.GenericSchema };

function isWrapper(schema: v.GenericSchema): schema is Wrapper {
  return schema.type === 'exact_optional' || schema.type === 'nullable';
}

function isKeyed(schema: v.GenericSchema): schema is Keyed {
  return schema.type === 'strict_object';
}

function isNamed(schema: v.GenericSchema): schema is Named {
  return schema.type === 'record';
}

function isListing(schema: v.GenericSchema): schema is Listing {
  return schema.type === 'array';
}
