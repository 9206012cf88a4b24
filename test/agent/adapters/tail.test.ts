import { expect, test } from 'vitest';
import { keepTail } from '../../../agent/adapters/process/tail.ts';
import { chooseSeed, seeded } from './scratch.ts';

function tailOf(chunks: readonly (string | Uint8Array)[], limit: number): string {
  const tail = keepTail(limit);
  for (const chunk of chunks) tail.add(Buffer.from(chunk));
  return tail.text();
}

test('what fits is kept whole', () => {
  expect(tailOf([], 8)).toBe('');
  expect(tailOf(['ab\n', 'cd', 'ef\n'], 9)).toBe('ab\ncdef\n');
});

test('what does not fit begins at a line', () => {
  expect(tailOf(['one\ntwo\nthree\n'], 9)).toBe('three\n');
  expect(tailOf(['one\ntwo\nthree\n'], 10)).toBe('two\nthree\n');
  expect(tailOf(['one\ntwo\nthree\n'], 13)).toBe('two\nthree\n');
  expect(tailOf(['one\ntwo\nthree\n'], 14)).toBe('one\ntwo\nthree\n');
});

test('one long line is cut, but not within a character', () => {
  expect(tailOf(['x'.repeat(20)], 8)).toBe('x'.repeat(8));
  // U+20AC is E2 82 AC: seven bytes hold two of them and the last byte of a third.
  expect(tailOf(['€'.repeat(5)], 7)).toBe('€€');
  expect(tailOf(['€'.repeat(5)], 8)).toBe('€€');
});

test('the size and number of the chunks make no difference', () => {
  const seed = chooseSeed();
  const random = seeded(seed);
  const text = Array.from({ length: 5000 }, (_, line) => `line ${line}\n`).join('');
  const whole = tailOf([text], 1000);
  for (let round = 0; round < 20; round += 1) {
    const chunks: string[] = [];
    for (let at = 0; at < text.length;) {
      const size = 1 + Math.floor(random() ** 4 * 9000);
      chunks.push(text.slice(at, at + size));
      at += size;
    }
    expect(tailOf(chunks, 1000), `seed ${seed}`).toBe(whole);
  }
});

test('what a terminal would obey or hide is plain text', () => {
  expect(tailOf(['\u001b[2J\u001b[1;31mred\u001b[0m \u001b]0;title\u0007\u0008x\n'], 100)).toBe('red x\n');
  expect(tailOf(['10%\r20%\rdone\r\n'], 100)).toBe('10%\n20%\ndone\n');
});
