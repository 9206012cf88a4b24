import { isMap, isSeq, isScalar, type Document } from 'yaml';
import { fail, ok, type Failure, type Result } from '../failure.ts';
import { editEntry, removeEntry } from './entry.ts';
import { failureOf, placed } from './findings.ts';
import { readYaml } from './read-yaml.ts';
import type { SecretEntry } from './schema.ts';
import { removePair, spliced, type Splice } from './splice.ts';
import { keyOf } from '../secrets/sealed.ts';
import {
  below,
  itemsBelow,
  mapBelow,
  saysTheSame,
  textOf,
  treeOf,
  withEntry,
  withoutEntry,
  type MapTree,
} from './tree.ts';

/**
 * Writes a secret's declaration into the text of `fleet.yaml`: what is named is added or put in the place of what was
 * there, and the rest stays, byte for byte.
 * @param alsoFor hosts that get it besides those that are named there
 */
export function declareSecret(
  text: string,
  name: string,
  declaration: SecretEntry,
  alsoFor: readonly string[] = [],
): Result<string> {
  const reading = readYaml(text);
  if (!reading.ok) return fail(failureOf(placed(reading.problems, text, 'fleet.yaml')));
  const entry = mapBelow(mapBelow(reading.tree, 'secrets'), name);
  const named = itemsBelow(entry, 'hosts').flatMap((item) => textOf(item) ?? []);
  const declared =
    alsoFor.length === 0 ? declaration : { ...declaration, hosts: [...new Set([...named, ...alsoFor])] };
  const added: Record<string, unknown> = {};
  const replaced: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(declared)) {
    const there = below(entry, key);
    if (there === undefined) added[key] = value;
    else if (!saysTheSame(there, treeOf(value))) replaced[key] = value;
  }
  const isNothing = Object.keys({ ...added, ...replaced }).length === 0;
  return isNothing ? ok(text) : editEntry(text, name, { added, replaced }, 'secrets');
}

/** Takes a secret's declaration out, and `secrets` itself with the last one. */
export function removeSecret(text: string, name: string): Result<string> {
  return removeEntry(text, 'secrets', name);
}

/** Takes every reader with one of these keys out. */
export function removeReaders(text: string, keys: readonly string[]): Result<string> {
  const reading = readYaml(text);
  if (!reading.ok) return fail(failureOf(placed(reading.problems, text, 'fleet.yaml')));
  const { tree, document } = reading;
  const isGone = (line: string | undefined) => line !== undefined && keys.includes(keyOf(line));
  const items = itemsBelow(tree, 'readers');
  const left = items.filter((item) => !isGone(textOf(item)));
  if (left.length === items.length) return ok(text);
  const list = { kind: 'list' as const, start: 0, items: left };
  const expected: MapTree =
    left.length === 0 ? withoutEntry(tree, 'readers') : withEntry(tree, 'readers', list);
  const edited = spliced(
    text,
    left.length === 0 ? withoutReaders(text, document) : lines(text, document, isGone),
  );
  const again = readYaml(edited);
  return again.ok && saysTheSame(again.tree, expected) ? ok(edited) : fail(byHand);
}

function withoutReaders(text: string, { contents }: Document.Parsed): readonly Splice[] {
  return isMap(contents) ? removePair(text, contents, 'readers') : [];
}

/** A block list has an item a line; whatever is written in another way is refused by what compares afterwards. */
function lines(
  text: string,
  { contents }: Document.Parsed,
  isGone: (line: string | undefined) => boolean,
): readonly Splice[] {
  const list = isMap(contents) ? contents.get('readers') : undefined;
  if (!isSeq(list) || list.flow === true) return [];
  return list.items.flatMap((item): Splice[] => {
    if (!isScalar(item) || typeof item.value !== 'string' || !isGone(item.value)) return [];
    const [start, end] = item.range;
    const from = text.lastIndexOf('\n', start) + 1;
    const newline = text.indexOf('\n', Math.max(end - 1, start));
    return [{ at: from, remove: (newline === -1 ? text.length : newline + 1) - from, insert: '' }];
  });
}

const byHand: Failure = {
  kind: 'unexpected',
  cause: '`readers` cannot be written without changing what is around it',
  where: 'fleet.yaml, readers',
  remedy: 'take the line out by hand, run `autark rekey`, and then this again',
};
