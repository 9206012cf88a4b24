import { describe, expect, test } from 'vitest';
import { objectId } from '../../../shared/objects/object.ts';
import { parseRawTree, parseTree, serialiseTree, type TreeItem } from '../../../shared/objects/tree.ts';
import { chooseSeed, failureOf, seeded, valueOf } from '../../agent/adapters/scratch.ts';
import { mutate } from '../mutate.ts';

const id = '60462d48e9f36b20cdbb94d8bdcbafc2af215ab4';
const entry = (mode: string, name: string | Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), Buffer.from(id, 'hex')]);
const entries = (...all: readonly [string, string | Buffer][]): Buffer =>
  Buffer.concat(all.map(([mode, name]) => entry(mode, name)));

const items: readonly TreeItem[] = [
  { mode: '100644', name: 'a.b', id },
  { mode: '40000', name: 'a', id },
  { mode: '100755', name: 'a0', id },
  { mode: '120000', name: 'ä', id },
  { mode: '160000', name: 'Z', id },
];

describe('trees', () => {
  test('have the names that git gives them', () => {
    // Both are known to everybody who uses git: the empty tree, and one with an empty file `a`.
    expect(objectId({ type: 'tree', bytes: serialiseTree([]) })).toBe(
      '4b825dc642cb6eb9a060e54bf8d69288fbee4904',
    );
    const empty = objectId({ type: 'blob', bytes: Buffer.from('') });
    expect(empty).toBe('e69de29bb2d1d6434b8b29ae775ad8c2e48c5391');
    const one = serialiseTree([{ mode: '100644', name: 'a', id: empty }]);
    expect(objectId({ type: 'tree', bytes: one })).toBe('496d6428b9cf92981dc9495211e6e1120fb6f2ba');
  });

  test('are written in git’s order, directories as if their name ended in a slash', () => {
    const names = valueOf(parseTree(serialiseTree(items))).map(({ name }) => name);
    // By bytes: "Z" < "a.b" ('.' is 2e) < "a/" (2f) < "a0" (30) < "ä" (c3 a4).
    expect(names).toEqual(['Z', 'a.b', 'a', 'a0', 'ä']);
  });

  test('read back as written', () => {
    expect(new Set(valueOf(parseTree(serialiseTree(items))))).toEqual(new Set(items));
  });

  test.each<[string, Uint8Array, string]>([
    ['another order', entries(['100644', 'b'], ['100644', 'a']), 'not sorted'],
    ['a directory sorted as a file', entries(['40000', 'a'], ['100644', 'a.b']), 'not sorted'],
    ['a file sorted as a directory', entries(['100644', 'a.b'], ['100644', 'a']), 'not sorted'],
    ['a name twice', entries(['100644', 'a'], ['100644', 'a']), 'two entries of one name'],
    [
      'a file and a directory of one name',
      entries(['100644', 'a'], ['100644', 'a.b'], ['40000', 'a']),
      'two entries',
    ],
    ['an empty name', entry('100644', ''), 'without a name'],
    ['a slash', entry('100644', 'a/b'), 'slash'],
    ['a zero-padded mode', entry('040000', 'a'), 'unknown mode'],
    ['a group-writable file', entry('100664', 'a'), 'unknown mode'],
    ['a set-user-id file', entry('104755', 'a'), 'unknown mode'],
    ['a device', entry('60000', 'a'), 'unknown mode'],
    ['no mode', entry('', 'a'), 'unknown mode'],
    ['a cut id', entry('100644', 'a').subarray(0, -1), 'ends within'],
    ['a cut name', Buffer.from('100644 a'), 'ends within'],
    ['a lone mode', Buffer.from('100644'), 'ends within'],
    ['bytes after the last', Buffer.concat([entry('100644', 'a'), Buffer.from('x')]), 'ends within'],
    ['a name in Latin-1', entry('100644', Buffer.from('e4', 'hex')), 'not UTF-8'],
    ['an overlong slash', entry('100644', Buffer.from('c0af', 'hex')), 'not UTF-8'],
  ])('are refused with %s', (_, content, reason) => {
    expect(failureOf(parseTree(content))).toContain(reason);
  });

  test('can be searched although a name is not UTF-8', () => {
    const content = Buffer.concat([
      entry('100644', 'allowed_signers'),
      entry('100644', Buffer.from('e4', 'hex')),
    ]);
    expect(valueOf(parseRawTree(content)).map(({ name }) => name)).toEqual(['allowed_signers', '\u00e4']);
  });

  test.each<[string, readonly TreeItem[]]>([
    ['a slash', [{ mode: '100644', name: 'a/b', id }]],
    ['NUL', [{ mode: '100644', name: 'a\0b', id }]],
    ['no name', [{ mode: '100644', name: '', id }]],
    ['a short id', [{ mode: '100644', name: 'a', id: 'abc' }]],
    ['one name twice', [...items, { mode: '100644', name: 'a', id }]],
  ])('are not written with %s', (_, wrong) => {
    expect(() => serialiseTree(wrong)).toThrow(RangeError);
  });

  test('never make the parser throw, and what it takes is the same when written', () => {
    const seed = chooseSeed();
    const random = seeded(seed);
    let taken = 0;
    for (let round = 0; round < 3000; round += 1) {
      const content = mutate(serialiseTree(items), random);
      const parsed = parseTree(content);
      if (!parsed.ok) continue;
      taken += 1;
      expect(Buffer.from(serialiseTree(parsed.value)), `seed ${seed}`).toEqual(Buffer.from(content));
    }
    expect(taken, `seed ${seed}`).toBeGreaterThan(100);
  });
});
