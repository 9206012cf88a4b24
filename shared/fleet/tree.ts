/**
 * YAML content that remembers where it stands, so that whatever is found wrong later can name the place.
 * Offsets count UTF-16 units from the start of the text.
 */
export interface ScalarTree {
  readonly kind: 'scalar';
  readonly start: number;
  readonly value: string | number | boolean | null;
  /** As written, without quotes: the number 1.10 keeps its last digit here. */
  readonly source: string;
}

export interface ListTree {
  readonly kind: 'list';
  readonly start: number;
  readonly items: readonly Tree[];
}

export interface MapTree {
  readonly kind: 'map';
  readonly start: number;
  /** In the file's order. A Map, so that `constructor` or `__proto__` is a key like any other. */
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  readonly keyStart: number;
  readonly value: Tree;
}

export type Tree = ScalarTree | ListTree | MapTree;

/** The map below a key; `undefined` when it is absent, empty or no map. */
export function mapBelow(tree: Tree | undefined, key: string): MapTree | undefined {
  const value = below(tree, key);
  return value?.kind === 'map' ? value : undefined;
}

/** Whatever is below a key of a map. */
export function below(tree: Tree | undefined, key: string): Tree | undefined {
  return tree?.kind === 'map' ? tree.entries.get(key)?.value : undefined;
}

/** The items below a key; none when it is absent or no list. */
export function itemsBelow(tree: Tree | undefined, key: string): readonly Tree[] {
  const value = below(tree, key);
  return value?.kind === 'list' ? value.items : [];
}

/** The text of a scalar that is text. */
export function textOf(tree: Tree | undefined): string | undefined {
  return tree?.kind === 'scalar' && typeof tree.value === 'string' ? tree.value : undefined;
}

/** Whether the key was left without a value, or with `null`. */
export function isEmpty(tree: Tree | undefined): boolean {
  return tree?.kind === 'scalar' && tree.value === null;
}

/** Whether two trees say the same; where they stand and the order of keys do not count. */
export function saysTheSame(left: Tree, right: Tree): boolean {
  if (left.kind === 'scalar') return right.kind === 'scalar' && left.value === right.value;
  if (left.kind === 'list') {
    if (right.kind !== 'list' || left.items.length !== right.items.length) return false;
    return left.items.every((item, index) => {
      const other = right.items[index];
      return other !== undefined && saysTheSame(item, other);
    });
  }
  if (right.kind !== 'map' || left.entries.size !== right.entries.size) return false;
  return [...left.entries].every(([key, entry]) => {
    const other = right.entries.get(key);
    return other !== undefined && saysTheSame(entry.value, other.value);
  });
}

/** Plain data as a tree that stands nowhere. */
export function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { kind: 'list', start: 0, items: value.map(treeOf) };
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      ([key, each]) => [key, { keyStart: 0, value: treeOf(each) }] as const,
    );
    return { kind: 'map', start: 0, entries: new Map(entries) };
  }
  const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return { kind: 'scalar', start: 0, value: isPlain ? value : null, source: String(value) };
}

/** A map with one entry more, or another one in its place. */
export function withEntry(map: MapTree, key: string, value: Tree): MapTree {
  const keyStart = map.entries.get(key)?.keyStart ?? value.start;
  return { ...map, entries: new Map(map.entries).set(key, { keyStart, value }) };
}

/** A map without an entry. */
export function withoutEntry(map: MapTree, key: string): MapTree {
  const entries = new Map(map.entries);
  entries.delete(key);
  return { ...map, entries };
}
