import { describe, expect, test } from 'vitest';
import { oneLine, printable, printableJson } from '../../shared/printable.ts';

describe('printable', () => {
  test.each([
    ['colours', '\u001b[1;31mred\u001b[0m', 'red'],
    ['moving the cursor', 'a\u001b[2J\u001b[1;1Hb', 'ab'],
    ['a window title', '\u001b]0;owned\u0007text', 'text'],
    ['a link', '\u001b]8;;http://x\u001b\\name\u001b]8;;\u001b\\', 'name'],
    ['a title that never ends', 'x\u001b]0;owned\nnext line', 'x\nnext line'],
    ['a bare escape', 'a\u001b', 'a'],
    ['C1 controls', 'a\u009b31mb\u0085c', 'a31mbc'],
    ['NUL, bell, backspace and DEL', 'a\u0000b\u0007c\u0008d\u007fe', 'abcde'],
    ['text turned round', 'user\u202egpj.exe', 'usergpj.exe'],
    ['isolates', '\u2066a\u2069', 'a'],
    ['hidden characters', 'a\u200bb\u{e0041}c\ufeff', 'abc'],
    ['line separators', 'a\u2028b\u2029c', 'abc'],
    ['a lone surrogate', 'a\ud800b', 'ab'],
    ['carriage returns that overwrite', 'good\rbad', 'goodbad'],
  ])('takes out %s', (_what, text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  test('leaves text, tabs, line ends and emoji alone', () => {
    const text = 'naïve\t日本語 🎉\nשלום';
    expect(printable(text)).toBe(text);
  });

  test('makes one kind of line end', () => {
    expect(printable('a\r\nb')).toBe('a\nb');
  });
});

test('oneLine puts everything on one line', () => {
  expect(oneLine('  a\r\n\tb\n\n\u001b[1mc\rd ')).toBe('a b c d');
});

test('printableJson says the same, without a character that a terminal obeys or hides', () => {
  const said = { '\u009b2J': ['\u001b[1m', 'a\u202eb\u200d', '\u{e0041}', '日本語 🎉', 'a\nb'] };
  const text = printableJson(said);
  expect(JSON.parse(text)).toEqual(said);
  expect(text).not.toMatch(
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u{e0000}-\u{e007f}]/u,
  );
  expect(text).toContain('日本語 🎉');
});
