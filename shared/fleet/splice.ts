import { isCollection, isMap, isPair, isScalar, stringify, type Pair, type YAMLMap } from 'yaml';

/** One change of a text; all of a text's splices count their offsets in the text as it was. */
export interface Splice {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

/** Values to write below a key: objects of plain data. */
export type Content = Readonly<Record<string, unknown>>;

export type Pairs = YAMLMap;

/** The text with all splices made; of two at one place, the later one's text comes after the earlier one's. */
export function spliced(text: string, splices: readonly Splice[]): string {
  let [result, done] = ['', 0];
  for (const { at, remove, insert } of splices.toSorted((left, right) => left.at - right.at)) {
    result += text.slice(done, at) + insert;
    done = at + remove;
  }
  return result + text.slice(done);
}

/**
 * Adds keys at the end of a map that has some already: as lines of their own below a block map, before the
 * brace of a flow map. Comments that are indented deeper than the keys belong to what is above them.
 *
 * @param levels how many levels of the content become lines of their own
 */
export function appendTo(
  text: string,
  map: Pairs,
  content: Content,
  step: number,
  levels: number,
): readonly Splice[] {
  if (map.flow === true) return appendToFlow(text, map, content);
  const indent = columnOf(text, map.range?.[0] ?? 0);
  const end = afterDeeperComments(text, lineEnd(text, contentEnd(text, map)), indent);
  return [insertLines(text, end, blockLines(content, indent, step, levels))];
}

/** Gives content to a key that has none: no value, `null`, or `{}`. */
export function fill(
  text: string,
  pair: Pair,
  content: Content,
  step: number,
  place: { levels: number; inFlow: boolean },
) {
  const [from, to] = valueRange(text, pair);
  if (place.inFlow) return [{ at: from, remove: to - from, insert: `: ${flow(content)}` }];
  const indent = columnOf(text, keyStart(pair)) + step;
  const emptied: Splice = { at: from, remove: to - from, insert: ':' };
  return [emptied, insertLines(text, lineEnd(text, to), blockLines(content, indent, step, place.levels))];
}

/** Writes another value behind a key. */
export function replaceValue(text: string, pair: Pair, value: unknown): Splice {
  const [from, to] = valueRange(text, pair);
  return { at: from, remove: to - from, insert: `: ${flow(value)}` };
}

/** Takes a key out of a map that has others: its lines in a block map, it and its comma in a flow map. */
export function removePair(text: string, map: Pairs, name: string): readonly Splice[] {
  const index = map.items.findIndex(({ key }) => isScalar(key) && key.value === name);
  const pair = map.items[index];
  if (pair === undefined || map.items.length < 2) return [];
  const end = contentEnd(text, pair);
  if (map.flow === true) {
    const following = map.items[index + 1];
    const from = following === undefined ? contentEnd(text, map.items[index - 1]) : keyStart(pair);
    return [{ at: from, remove: (following === undefined ? end : keyStart(following)) - from, insert: '' }];
  }
  const from = lineStart(text, keyStart(pair));
  const to = afterDeeperComments(text, lineEnd(text, end), columnOf(text, keyStart(pair)));
  return [{ at: from, remove: to - from, insert: '' }];
}

/** By how much the file indents what is below a key; `undefined` when nothing is. */
export function stepBelow(text: string, map: Pairs): number | undefined {
  for (const { key, value } of map.items) {
    if (!isScalar(key) || !isMap(value) || value.flow === true || value.items.length === 0) continue;
    const step = columnOf(text, value.range?.[0] ?? 0) - columnOf(text, key.range?.[0] ?? 0);
    if (step > 0) return step;
  }
  return undefined;
}

/** A value on one line, in YAML's flow style. */
export function flow(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
}

export function blockLines(
  content: Content,
  indent: number,
  step: number,
  levels: number,
): readonly string[] {
  return Object.entries(content).flatMap(([key, value]) => {
    const start = `${' '.repeat(indent)}${flow(key)}:`;
    if (levels === 0) return [`${start} ${flow(value)}`];
    return [start, ...blockLines(value as Content, indent + step, step, levels - 1)];
  });
}

function appendToFlow(text: string, map: Pairs, content: Content): readonly Splice[] {
  const inner = flow(content).slice(1, -1).trim();
  const end = contentEnd(text, map.items.at(-1));
  const brace = (map.range?.[1] ?? text.length) - 1;
  // Between the last value and the brace there are only blanks, comments, and perhaps a comma.
  const comma = /^\s*,/.exec(text.slice(end, brace))?.[0].length ?? 0;
  const [before, after] = comma === 0 ? [',', ''] : ['', ','];
  if (!text.slice(end, brace).includes('\n'))
    return [{ at: end + comma, remove: 0, insert: `${before} ${inner}${after}` }];
  const indent = columnOf(text, keyStart(map.items[0]));
  const lineStop = lineEnd(text, end + comma);
  const line = `${' '.repeat(indent)}${inner}${after}`;
  return [{ at: end, remove: 0, insert: before }, insertLines(text, lineStop, [line])];
}

/** From the end of a key to the end of its value, the colon included. */
function valueRange(text: string, { key, value }: Pair): readonly [number, number] {
  const from = isScalar(key) ? (key.range?.[1] ?? 0) : 0;
  const colon = /^\s*:/.exec(text.slice(from))?.[0].length ?? 0;
  const isBare =
    !isCollection(value) && (!isScalar(value) || (value.value === null && (value.source ?? '') === ''));
  return [from, isBare && !hasAlias(value) ? from + colon : contentEnd(text, value)];
}

function hasAlias(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'source' in value && !isScalar(value);
}

/** Where the text of a node or pair ends, without what follows on its last line. */
function contentEnd(text: string, node: unknown): number {
  if (isPair(node)) {
    const [from, to] = valueRange(text, node);
    return Math.max(from, to);
  }
  if (isCollection(node) && node.flow !== true && node.items.length > 0)
    return contentEnd(text, node.items.at(-1));
  const end = rangeOf(node)?.[1] ?? 0;
  // A block scalar ends with its last line.
  return end - (/\r?\n$/.exec(text.slice(0, end))?.[0].length ?? 0);
}

function rangeOf(node: unknown): readonly number[] | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range))
    return undefined;
  return node.range.filter((each) => typeof each === 'number');
}

function keyStart(pair: Pair | undefined): number {
  return isScalar(pair?.key) ? (pair.key.range?.[0] ?? 0) : 0;
}

function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}

function lineStart(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
}

/** The beginning of the next line, or the end of the text. */
function lineEnd(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  return newline === -1 ? text.length : newline + 1;
}

function afterDeeperComments(text: string, from: number, indent: number): number {
  let [end, at] = [from, from];
  while (at < text.length) {
    const next = lineEnd(text, at);
    const line = text.slice(at, next);
    const column = line.search(/\S/);
    if (column !== -1 && (line[column] !== '#' || column <= indent)) break;
    if (column !== -1) end = next;
    at = next;
  }
  return end;
}

/** Whole lines, with the line ends that the file has. */
function insertLines(text: string, at: number, lines: readonly string[]): Splice {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const isOpen = at > 0 && text[at - 1] !== '\n';
  const insert = isOpen ? lines.map((line) => newline + line) : lines.map((line) => line + newline);
  return { at, remove: 0, insert: insert.join('') };
}
