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

/** What becomes of an entry: keys to add, keys that say something else from now on, keys to take out. */
export interface Changes {
  readonly added?: Content;
  readonly replaced?: Content;
  readonly removed?: readonly string[];
}

export type Section = 'hosts' | 'secrets';
type Place = readonly [section: Section, name: string];

/**
 * Writes one entry anew in the text of `fleet.yaml`. What is not named in the changes stays, byte for byte.
 * Never writes a text that says anything else than the old one and these changes: what cannot be edited so is left
 * to a person.
 */
export function editEntry(
  text: string,
  host: string,
  changes: Changes,
  section: Section = 'hosts',
): Result<string> {
  const entry = (file: MapTree): MapTree => {
    const before = mapBelow(mapBelow(file, section), host) ?? emptyMap;
    const kept = (changes.removed ?? []).reduce(withoutEntry, before);
    return Object.entries({ ...changes.replaced, ...changes.added }).reduce(
      (map, [name, value]) => withEntry(map, name, treeOf(value)),
      kept,
    );
  };
  return rewrite(text, [section, host], {
    edits: (document) => edits(text, document, [section, host], changes),
    entry,
    byHand: { ...changes.added, ...changes.replaced },
  });
}

/** Puts another entry in the place of a host's whole entry, which must be there. */
export function replaceEntry(text: string, host: string, content: Content): Result<string> {
  return rewrite(text, ['hosts', host], {
    edits: ({ contents }) => {
      const hosts = isMap(contents) ? pairOf(contents, 'hosts')?.value : undefined;
      const own = isMap(hosts) ? pairOf(hosts, host) : undefined;
      return own === undefined ? [] : [replaceValue(text, own, content)];
    },
    entry: () => treeOf(content) as MapTree,
    byHand: content,
  });
}

/** Takes a whole entry out, and the section with the last one. */
export function removeEntry(text: string, section: Section, name: string): Result<string> {
  const reading = readYaml(text);
  if (!reading.ok) return fail(failureOf(placed(reading.problems, text, 'fleet.yaml')));
  const { tree, document } = reading;
  const entries = mapBelow(tree, section);
  const root = document.contents;
  if (entries?.entries.has(name) !== true || !isMap(root)) return ok(text);
  const isLast = entries.entries.size === 1;
  const own = pairOf(root, section)?.value;
  const inSection = isMap(own) ? removePair(text, own, name) : [];
  const edited = spliced(text, isLast ? removePair(text, root, section) : inSection);
  const left = withoutEntry(entries, name);
  const expected = isLast ? withoutEntry(tree, section) : withEntry(tree, section, left);
  const again = readYaml(edited);
  return again.ok && saysTheSame(again.tree, expected) ? ok(edited) : fail(removedByHand([section, name]));
}

interface Rewriting {
  readonly edits: (document: Document.Parsed) => readonly Splice[];
  /** What the host's entry must say afterwards. */
  readonly entry: (file: MapTree) => MapTree;
  /** What a person is told to write where the text cannot be edited. */
  readonly byHand: Content;
}

/** Edits the text of one entry, unless it would say anything else then than what is expected. */
export function rewrite(
  text: string,
  [section, name]: Place,
  { edits, entry, byHand }: Rewriting,
): Result<string> {
  const reading = readYaml(text);
  if (!reading.ok) return fail(failureOf(placed(reading.problems, text, 'fleet.yaml')));
  const { tree, document } = reading;
  const edited = spliced(text, edits(document));
  const entries = mapBelow(tree, section) ?? emptyMap;
  const expected = withEntry(tree, section, withEntry(entries, name, entry(tree)));
  const again = readYaml(edited);
  return again.ok && saysTheSame(again.tree, expected)
    ? ok(edited)
    : fail(leftToAPerson([section, name], byHand));
}

function edits(
  text: string,
  document: Document.Parsed,
  [sectionName, name]: Place,
  { added = {}, replaced = {}, removed = [] }: Changes,
): readonly Splice[] {
  const root = document.contents;
  if (!isMap(root)) return [];
  const section = pairOf(root, sectionName);
  const step = stepBelow(text, root) ?? 2;
  if (section === undefined) return appendTo(text, root, { [sectionName]: { [name]: added } }, step, 2);
  const hosts = section.value;
  const inFlow = root.flow === true;
  if (!isMap(hosts) || hosts.items.length === 0)
    return fill(text, section, { [name]: added }, step, { levels: 1, inFlow });
  const inner = stepBelow(text, hosts) ?? step;
  const own = pairOf(hosts, name);
  if (own === undefined) return appendTo(text, hosts, { [name]: added }, inner, 1);
  const entry = own.value;
  if (!isMap(entry) || entry.items.length === 0)
    return fill(text, own, added, inner, { levels: 0, inFlow: hosts.flow === true });
  // A block map cannot be empty.
  const isEmptied = Object.keys(added).length === 0 && entry.items.length <= removed.length;
  if (isEmptied) return [replaceValue(text, own, {})];
  return [
    ...replacements(text, entry, replaced),
    ...removed.flatMap((key) => removePair(text, entry, key)),
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

function leftToAPerson([section, name]: Place, content: Content): Failure {
  return {
    kind: 'unexpected',
    cause: `the entry of ${name} cannot be written without changing what is around it`,
    where: `fleet.yaml, ${section}.${name}`,
    remedy: 'write these lines by hand, and commit the file',
    detail: blockLines({ [section]: { [name]: content } }, 0, 2, 2).join('\n'),
  };
}

function removedByHand([section, name]: Place): Failure {
  return {
    kind: 'unexpected',
    cause: `the entry of ${name} cannot be taken out without changing what is around it`,
    where: `fleet.yaml, ${section}.${name}`,
    remedy:
      'take it out by hand, and commit the file; `autark rekey --remove-undeclared` then removes what is sealed',
  };
}
