import { isAlias, isMap, isScalar, isSeq, type Alias, type Node, type Pair, type YAMLMap } from 'yaml';
import type { Problem } from './findings.ts';
import type { Entry, Tree } from './tree.ts';

/** Levels of maps and lists; `fleet.yaml` needs seven. */
const deepest = 32;

/** How many values aliases may stand for, all of them together. */
const aliased = 100_000;

const tooMany = `the file’s aliases stand for more than ${aliased} values`;

/** The tags that YAML 1.2's core schema knows, which say no more than the plain values do. */
const coreTag = /^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq)$/;

interface Progress {
  readonly problems: Problem[];
  readonly anchors: Map<string, Node>;
  /** Values that aliases may still stand for; below 0, they stand for nothing any more. */
  budget: number;
  depth: number;
  /** How many aliases enclose the node. */
  inside: number;
}

/**
 * Turns parsed YAML into a tree with its aliases resolved. Not `Document.toJS`, which forgets places, turns keys
 * such as 010 into other keys, and searches the whole document for each alias.
 */
export function toTree(root: Node | null): {
  readonly tree: Tree | undefined;
  readonly problems: readonly Problem[];
} {
  const progress: Progress = { problems: [], anchors: new Map(), budget: aliased, depth: 0, inside: 0 };
  if (root === null || (isScalar(root) && root.value === null)) return { tree: undefined, problems: [] };
  return { tree: convert(root, '', progress), problems: progress.problems };
}

function convert(node: Node, key: string, progress: Progress): Tree | undefined {
  if (progress.inside > 0 && (progress.budget -= 1) < 0) return undefined;
  const start = node.range?.[0] ?? 0;
  if (isAlias(node)) return resolve(node, key, progress);
  if (node.tag !== undefined && !coreTag.test(node.tag)) {
    const cause = `${where(key)} has the tag ${node.tag}`;
    progress.problems.push({ start, key, cause, remedy: 'remove the tag; values are plain YAML' });
  }
  if (progress.depth >= deepest) {
    const cause = `the file is nested deeper than ${deepest} levels`;
    progress.problems.push({ start, key, cause, remedy: 'write it with less nesting' });
    return undefined;
  }
  const tree = convertContent(node, key, progress);
  // Known only once it is complete: an alias cannot contain itself.
  if (node.anchor !== undefined && progress.inside === 0) progress.anchors.set(node.anchor, node);
  return tree;
}

function convertContent(node: Node, key: string, progress: Progress): Tree | undefined {
  const start = node.range?.[0] ?? 0;
  if (isScalar(node)) {
    const { value } = node;
    const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    return { kind: 'scalar', start, value: isPlain ? value : null, source: node.source ?? '' };
  }
  progress.depth += 1;
  const tree = isSeq<Node>(node)
    ? convertList(node.items, start, key, progress)
    : convertMap(node, start, key, progress);
  progress.depth -= 1;
  return tree;
}

function convertList(items: readonly Node[], start: number, key: string, progress: Progress): Tree {
  const trees = items.map((item, index) => convert(item, `${key}[${index}]`, progress));
  return { kind: 'list', start, items: trees.filter((tree) => tree !== undefined) };
}

function convertMap(node: Node, start: number, key: string, progress: Progress): Tree | undefined {
  if (!isMap(node)) return undefined;
  const entries = new Map<string, Entry>();
  for (const pair of (node as YAMLMap<unknown, Node | null>).items) addPair(pair, key, entries, progress);
  return { kind: 'map', start, entries };
}

function addPair(
  pair: Pair<unknown, Node | null>,
  key: string,
  entries: Map<string, Entry>,
  progress: Progress,
): void {
  // `stringKeys` has the parser refuse every other key.
  if (!isScalar(pair.key) || typeof pair.key.value !== 'string') return;
  const name = pair.key.value;
  const keyStart = pair.key.range?.[0] ?? 0;
  const path = key === '' ? name : `${key}.${name}`;
  const earlier = entries.get(name);
  if (earlier !== undefined) {
    progress.problems.push({
      start: keyStart,
      key: path,
      cause: `${where(path)} is there twice`,
      remedy: 'remove one of the two, or join them',
    });
  }
  const value =
    pair.value === null ? emptyValue(keyStart + name.length) : convert(pair.value, path, progress);
  if (value !== undefined && earlier === undefined) entries.set(name, { keyStart, value });
}

function emptyValue(start: number): Tree {
  return { kind: 'scalar', start, value: null, source: '' };
}

function resolve(alias: Alias, key: string, progress: Progress): Tree | undefined {
  const start = alias.range?.[0] ?? 0;
  const target = progress.anchors.get(alias.source);
  if (target === undefined) {
    const cause = `${where(key)} refers to &${alias.source}, which is not above it`;
    progress.problems.push({ start, key, cause, remedy: 'define the anchor before it is used' });
    return undefined;
  }
  progress.inside += 1;
  const tree = convert(target, key, progress);
  progress.inside -= 1;
  // Said once, by the outermost alias that went too far.
  if (
    progress.budget < 0 &&
    progress.inside === 0 &&
    !progress.problems.some(({ cause }) => cause === tooMany)
  ) {
    progress.problems.push({
      start,
      key,
      cause: tooMany,
      remedy: 'use `defaults` and `groups` instead of aliases',
    });
  }
  return tree;
}

function where(key: string): string {
  return key === '' ? 'the file' : key;
}
