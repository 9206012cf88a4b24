import { expect, test } from 'vitest';
import { lineSplitter } from '../../../../agent/adapters/process/lines.ts';

/** The lines of a text that comes in chunks of so many bytes. */
function linesOf(text: string, size: number): readonly string[] {
  const lines: string[] = [];
  const take = lineSplitter((line) => lines.push(line));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) take(bytes.subarray(at, at + size));
  return lines;
}

test('lines are the same whatever the borders of the chunks, also within a character', () => {
  const text = 'one\n\nzwölf – 12\nlast, without an end';
  for (let size = 1; size <= Buffer.byteLength(text); size += 1) {
    expect(linesOf(text, size)).toEqual(['one', '', 'zwölf – 12']);
  }
});

test('a line without end is cut, and the next one is whole', () => {
  const [long = '', next] = linesOf(`${'x'.repeat(1_000_000)}\nnext\n`, 4096);
  expect(long.length).toBeLessThanOrEqual(64 * 1024);
  expect(next).toBe('next');
});
