import { expect, test } from 'vitest';
import { type Answer, batchParser } from '../../../../agent/adapters/git/batch.ts';
import { chooseSeed, seeded } from '../scratch.ts';

const [a, b] = ['a'.repeat(40), 'b'.repeat(40)];

/** The answers to a stream that comes in chunks of these sizes, over and over. */
function parse(stream: Uint8Array, sizes: () => number, cap = 1000): Answer[] {
  const answers: Answer[] = [];
  const feed = batchParser(cap, (answer) => answers.push(answer));
  for (let at = 0; at < stream.length;) {
    const size = sizes();
    feed(stream.subarray(at, at + size));
    at += size;
  }
  return answers;
}

test('answers are the same wherever the stream is cut', () => {
  const seed = chooseSeed();
  const random = seeded(seed);
  // git-cat-file(1), BATCH OUTPUT; contents that look like headers.
  const content = `${b} blob 3\nx\n${a} missing\n`;
  const stream = Buffer.from(
    `${a} blob ${content.length}\n${content}\n${b} missing\n${a} tree 0\n\n${b} commit 1\n\n\n`,
  );
  const wanted = [
    { kind: 'object', id: a, type: 'blob', bytes: Buffer.from(content) },
    { kind: 'missing' },
    { kind: 'object', id: a, type: 'tree', bytes: Buffer.alloc(0) },
    { kind: 'object', id: b, type: 'commit', bytes: Buffer.from('\n') },
  ];
  expect(parse(stream, () => 1)).toEqual(wanted);
  expect(parse(stream, () => stream.length)).toEqual(wanted);
  for (let round = 0; round < 100; round += 1) {
    expect(
      parse(stream, () => 1 + Math.floor(random() * 60)),
      `seed ${seed}`,
    ).toEqual(wanted);
  }
});

test('an object above the cap is told before any of it came, and nothing after it is read', () => {
  expect(parse(Buffer.from(`${a} blob 1001\n`), () => 7)).toEqual([{ kind: 'too-large', size: 1001 }]);
  expect(parse(Buffer.from(`${a} blob 999999999999\nxx`), () => 7)).toHaveLength(1);
  expect(parse(Buffer.from(`${a} blob 1001\n${b} missing\n`), () => 99)).toHaveLength(1);
});

test.each([
  `${a} blob`,
  `${a} blob -1`,
  `${a} blob 1e3`,
  `${a} blob 0x10`,
  `${a} blob 1 2`,
  `${a} text 1`,
  `${a.slice(1)} blob 1`,
  `${a} ambiguous`,
  'fatal: nonsense',
  '',
])('%j is garbage', (line) => {
  expect(parse(Buffer.from(`${line}\nmore`), () => 5)).toEqual([{ kind: 'garbage', line }]);
});

test('a header without end is not gathered for ever', () => {
  const answers = parse(Buffer.alloc(10_000, 'x'), () => 100);
  expect(answers).toHaveLength(1);
  expect(answers[0]).toMatchObject({ kind: 'garbage' });
});
