import { isMap, isScalar, type Document, type Pair } from 'yaml';
import { fail, ok, type Failure, type Result } from '../failure.ts';
import { failureOf, placed } from './findings.ts';
import { readYaml } from './read-yaml.ts';
import {
  appendTo,
  blockLines,
  fill,
  removePair,
  replaceValue,
  spliced,
  stepBelow,
  type Content,
  type Pairs,
  type Splice,
} from './splice.ts';
import { mapBelow, saysTheSame, treeOf, withEntry, withoutEntry, type MapTree } from './tree.ts';

/** What becomes of a host's entry: keys to add, keys that say something else from now on, keys to take out. */
export interface Changes {
  readonly added?: Content;
  readonly replaced?: Content;
  readonly removed?: readonly string[];
}

/**
 * Writes one host's entry anew in the text of `fleet.yaml`. What is not named in the changes stays, byte for byte.
 * Never writes a text that says anything else than the old one and these changes: what cannot be edited so is left
 * to a person.
 */
export function editEntry(text: string, host: string, changes: Changes): Result<string> {
  const entry = (file: MapTree): MapTree => {
    const before = mapBelow(mapBelow(file, 'hosts'), host) ?? emptyMap;
    const kept = (changes.removed ?? []).reduce(withoutEntry, before);
    return Object.entries({ ...changes.replaced, ...changes.added }).reduce(
      (map, [name, value]) => withEntry(map, name, treeOf(value)),
      kept,
    );
  };
  return rewrite(text, host, {
    edits: (document) => edits(text, document, host, changes),
    entry,
    byHand: { ...changes.added, ...changes.replaced },
  });
}

/** Puts another entry in the place of a host's whole entry, which must be there. */
export function replaceEntry(text: string, host: string, content: Content): Result<string> {
  return rewrite(text, host, {
    edits: ({ contents }) => {
      const hosts = isMap(contents) ? pairOf(contents, 'hosts')?.value : undefined;
      const own = isMap(hosts) ? pairOf(hosts, host) : undefined;
      return own === undefined ? [] : [replaceValue(text, own, content)];
    },
    entry: () => treeOf(content) as MapTree,
    byHand: content,
  });
}

interface Rewriting {
  readonly edits: (document: Document.Parsed) => readonly Splice[];
  /** What the host's entry must say afterwards. */
  readonly entry: (file: MapTree) => MapTree;
  /** What a person is told to write where the text cannot be edited. */
  readonly byHand: Content;
}

function rewrite(text: string, host: string, { edits, entry, byHand }: Rewriting): Result<string> {
  const reading = readYaml(text);
  if (!reading.ok) return fail(failureOf(placed(reading.problems, text, 'fleet.yaml')));
  const { tree, document } = reading;
  const edited = spliced(text, edits(document));
  const hosts = mapBelow(tree, 'hosts') ?? emptyMap;
  const expected = withEntry(tree, 'hosts', withEntry(hosts, host, entry(tree)));
  const again = readYaml(edited);
  return again.ok && saysTheSame(again.tree, expected) ? ok(edited) : fail(leftToAPerson(host, byHand));
}

function edits(
  text: string,
  document: Document.Parsed,
  host: string,
  { added = {}, replaced = {}, removed = [] }: Changes,
): readonly Splice[] {
  const root = document.contents;
  if (!isMap(root)) return [];
  const section = pairOf(root, 'hosts');
  const step = stepBelow(text, root) ?? 2;
  if (section === undefined) return appendTo(text, root, { hosts: { [host]: added } }, step, 2);
  const hosts = section.value;
  const inFlow = root.flow === true;
  if (!isMap(hosts) || hosts.items.length === 0)
    return fill(text, section, { [host]: added }, step, { levels: 1, inFlow });
  const inner = stepBelow(text, hosts) ?? step;
  const own = pairOf(hosts, host);
  if (own === undefined) return appendTo(text, hosts, { [host]: added }, inner, 1);
  const entry = own.value;
  if (!isMap(entry) || entry.items.length === 0)
    return fill(text, own, added, inner, { levels: 0, inFlow: hosts.flow === true });
  // A block map cannot be empty.
  const isEmptied = Object.keys(added).length === 0 && entry.items.length <= removed.length;
  if (isEmptied) return [replaceValue(text, own, {})];
  return [
    ...replacements(text, entry, replaced),
    ...removed.flatMap((name) => removePair(text, entry, name)),
    ...additions(text, entry, added, inner),
  ];
}

function replacements(text: string, entry: Pairs, replaced: Content): readonly Splice[] {
  return Object.entries(replaced).flatMap(([name, value]) => {
    const pair = pairOf(entry, name);
    return pair === undefined ? [] : [replaceValue(text, pair, value)];
  });
}

function additions(text: string, entry: Pairs, added: Content, step: number): readonly Splice[] {
  return Object.keys(added).length === 0 ? [] : appendTo(text, entry, added, step, 0);
}

function pairOf(map: Pairs, name: string): Pair | undefined {
  return map.items.find(({ key }) => isScalar(key) && key.value === name);
}

const emptyMap: MapTree = { kind: 'map', start: 0, entries: new Map() };

function leftToAPerson(host: string, content: Content): Failure {
  return {
    kind: 'unexpected',
    cause: `the entry of ${host} cannot be written without changing what is around it`,
    where: `fleet.yaml, hosts.${host}`,
    remedy: 'write these lines by hand, and commit the file',
    detail: blockLines({ hosts: { [host]: content } }, 0, 2, 2).join('\n'),
  };
}
