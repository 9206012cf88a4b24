import { fail, ok, type Result } from '../failure.ts';
import { isObjectId, type ObjectId } from './object.ts';
import { strictUtf8 } from './utf8.ts';

/** Executable and plain file, directory, symbolic link, submodule: all that git writes today. */
const modes = ['100644', '100755', '40000', '120000', '160000'] as const;
export type TreeMode = (typeof modes)[number];

export interface TreeItem {
  readonly mode: TreeMode;
  readonly name: string;
  readonly id: ObjectId;
}

/**
 * A tree from its content: `MODE SP NAME NUL ID`… with 20 bytes of id. What `git fsck` complains about is
 * refused: unknown or zero-padded modes (and 100664, which git has not written since 2005), empty names,
 * slashes, a wrong order, names that occur twice. Names must be UTF-8; which of them may be written out is for
 * `shared/tree/names.ts` to say.
 */
export function parseTree(bytes: Uint8Array): Result<readonly TreeItem[], string> {
  const raw = parseRawTree(bytes);
  if (!raw.ok) return raw;
  const items = raw.value.map((item) => ({ ...item, name: utf8Name(item.name) }));
  const isNamed = (item: (typeof items)[number]): item is TreeItem => item.name !== undefined;
  return items.every(isNamed) ? ok(items) : fail('the tree has a name that is not UTF-8');
}

/** Most names are ASCII, and a tree may have very many of them. */
function utf8Name(raw: string): string | undefined {
  return /[\u0080-\u00ff]/.test(raw) ? strictUtf8(Buffer.from(raw, 'latin1')) : raw;
}

/**
 * The same with names as they are, each byte one character (latin1), for a reader that looks for one name
 * only (`allowed_signers`): a name elsewhere that is not UTF-8 is no matter of trust (S1), but of what may be
 * written out (S6).
 */
export function parseRawTree(bytes: Uint8Array): Result<readonly TreeItem[], string> {
  const entries = entriesOf(bytes);
  return entries.ok ? ok(entries.value.map((entry) => itemOf(entry, bytes))) : entries;
}

/** One item of a tree, by its name as it is in latin1; `undefined` for none. The whole tree is held to the rules. */
export function findRawItem(bytes: Uint8Array, name: string): Result<TreeItem | undefined, string> {
  const entries = entriesOf(bytes);
  if (!entries.ok) return entries;
  const entry = entries.value.find((each) => each.name === name);
  return ok(entry === undefined ? undefined : itemOf(entry, bytes));
}

/** What an item is called, and where its id is: few of them are ever wanted. */
interface Entry extends Pick<TreeItem, 'mode' | 'name'> {
  readonly idAt: number;
}

function itemOf({ mode, name, idAt }: Entry, bytes: Uint8Array): TreeItem {
  return { mode, name, id: Buffer.from(bytes.buffer, bytes.byteOffset + idAt, 20).toString('hex') };
}

function entriesOf(bytes: Uint8Array): Result<readonly Entry[], string> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const entries: Entry[] = [];
  for (let at = 0; at < text.length;) {
    const space = text.indexOf(' ', at);
    const nul = space === -1 ? -1 : text.indexOf('\0', space);
    if (nul === -1 || nul + 21 > text.length) return fail('the tree ends within an entry');
    const mode = modeAt(text, at, space);
    if (mode === undefined) return fail('the tree has an entry of an unknown mode');
    entries.push({ mode, name: text.slice(space + 1, nul), idAt: nul + 1 });
    at = nul + 21;
  }
  const flaw = flawOf(entries);
  return flaw === undefined ? ok(entries) : fail(flaw);
}

function modeAt(text: string, from: number, to: number): TreeMode | undefined {
  for (const mode of modes) if (mode.length === to - from && text.startsWith(mode, from)) return mode;
  return undefined;
}

/**
 * The content of a tree of these items, in any order; names become UTF-8.
 * @throws RangeError for what cannot be an item, and for names that occur twice
 */
export function serialiseTree(items: readonly TreeItem[]): Uint8Array {
  const raw = items.map((item) => ({ ...item, name: Buffer.from(item.name, 'utf8').toString('latin1') }));
  raw.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const flaw = raw.every(({ id, name }) => isObjectId(id) && !name.includes('\0'))
    ? flawOf(raw)
    : 'not an item';
  if (flaw !== undefined) throw new RangeError(flaw);
  return Buffer.concat(
    raw.flatMap(({ mode, name, id }) => [Buffer.from(`${mode} ${name}\0`, 'latin1'), Buffer.from(id, 'hex')]),
  );
}

/**
 * Files and directories of one name need not stand side by side (`a`, `a.b`, `a/`), hence the set, which only a tree
 * with a directory after something of which the name begins like its own is in need of.
 */
function flawOf(items: readonly Pick<TreeItem, 'mode' | 'name'>[]): string | undefined {
  let isSorted = true;
  let mayRepeat = false;
  let before = '';
  for (const item of items) {
    const { name } = item;
    if (name === '') return 'the tree has an entry without a name';
    if (name.includes('/')) return 'the tree has a name with a slash in it';
    const key = sortKey(item);
    isSorted &&= before < key;
    mayRepeat ||= before.startsWith(name);
    before = key;
  }
  if (isSorted && !mayRepeat) return undefined;
  const names = new Set(items.map(({ name }) => name));
  if (names.size !== items.length) return 'the tree has two entries of one name';
  return isSorted ? undefined : 'the tree is not sorted';
}

/** By bytes, directories as if their name ended in a slash (base_name_compare in git's tree.c). */
function sortKey({ mode, name }: Pick<TreeItem, 'mode' | 'name'>): string {
  return mode === '40000' ? `${name}/` : name;
}
