import { describe, expect, test } from 'vitest';
import {
  digestOf,
  heldOf,
  idOf,
  parseKept,
  serialiseKept,
  type KeptSecret,
} from '../../../shared/secrets/kept-set.ts';

const value = { sealed: Buffer.from('sealed'), digest: 'ab'.repeat(32) };
const plain: KeptSecret = {
  ...{ name: 'key', owner: 'root', group: 'root', mode: 0o400 },
  ...{ restart: ['a.service'], reload: [], early: false, value },
};
const { value: _, ...without } = plain;
/** Each differs from `plain` in one part. */
const others: readonly (readonly [part: string, other: KeptSecret])[] = [
  ['name', { ...plain, name: 'key-2' }],
  ['owner', { ...plain, owner: 'app' }],
  ['group', { ...plain, group: 'app' }],
  ['mode', { ...plain, mode: 0o440 }],
  ['path', { ...plain, path: '/etc/key' }],
  ['units that are restarted', { ...plain, restart: ['b.service'] }],
  ['units that are also reloaded', { ...plain, reload: ['a.service'] }],
  ['action on the same unit', { ...plain, restart: [], reload: ['a.service'] }],
  ['moment of placing', { ...plain, early: true }],
  ['value', { ...plain, value: { ...value, digest: 'cd'.repeat(32) } }],
  ['value that is there', without],
  ['value being a last good one', { ...plain, cause: 'it is sealed to other keys' }],
];

describe('the id of a set', () => {
  test.each(others)('is another with another %s', (_part, other) => {
    expect(idOf([other])).not.toBe(idOf([plain]));
  });

  test('is of no two of these the same, nor of more or fewer of them', () => {
    const sets = [[], [plain], ...others.map(([, other]) => [other]), [plain, { ...plain, name: 'b' }]];
    expect(new Set(sets.map((set) => idOf(set))).size).toBe(others.length + 3);
  });

  test('is the same however a value is sealed, and whatever the words are why it cannot be opened', () => {
    expect(idOf([{ ...plain, value: { ...value, sealed: Buffer.from('anew') } }])).toBe(idOf([plain]));
    expect(idOf([{ ...plain, cause: 'one' }])).toBe(idOf([{ ...plain, cause: 'two' }]));
  });

  test('is the same in any order of secrets, and a name for a file', () => {
    const set = others.map(([, other], index) => ({ ...other, name: `key-${index}` }));
    const id = idOf(set);
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(idOf([...set].reverse())).toBe(id);
    expect(idOf([...set.slice(5), ...set.slice(0, 5)])).toBe(id);
  });

  test('is not deceived by names that run into each other', () => {
    const split = (owner: string, group: string): string => idOf([{ ...plain, owner, group }]);
    expect(split('ap', 'pgroup')).not.toBe(split('app', 'group'));
    expect(split('a","b', 'c')).not.toBe(split('a', 'b","c'));
  });
});

describe('a digest', () => {
  const key = Buffer.alloc(32, 7);
  const text = Buffer.from('value');

  test('is another with another key, name or value', () => {
    const all = [
      digestOf(key, 'name', text),
      digestOf(Buffer.alloc(32, 8), 'name', text),
      digestOf(key, 'other', text),
      digestOf(key, 'name', Buffer.from('valuf')),
      digestOf(key, 'namev', Buffer.from('alue')),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(digestOf(Buffer.alloc(32, 7), 'name', Buffer.from('value'))).toBe(all[0]);
  });
});

describe('a kept set', () => {
  const set = others.map(([, other], index) => ({ ...other, name: `key-${index}` }));
  const fields = (change: Readonly<Record<string, unknown>>): string => {
    const written = JSON.parse(serialiseKept([plain])) as { secrets: Record<string, unknown>[] };
    return JSON.stringify({ ...written, secrets: [{ ...written.secrets[0], ...change }] });
  };

  test('is read as it was written, bytes that are no text too', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_byte, index) => index);
    const all = [...set, { ...plain, name: 'bytes', value: { ...value, sealed: Buffer.from(bytes) } }];
    expect(parseKept(serialiseKept(all))).toEqual(all);
    expect(parseKept(serialiseKept([]))).toEqual([]);
    expect(parseKept(fields({}))).toEqual([plain]);
  });

  test('that ends early is refused, wherever it does', () => {
    const text = serialiseKept([plain]).trimEnd();
    for (let length = 0; length < text.length; length += 1)
      expect(parseKept(text.slice(0, length)), `${length} of ${text.length} characters`).toBeNull();
  });

  test.each([
    ['a name that leads elsewhere', { name: '../key' }],
    ['a name with a line break', { name: 'key\n' }],
    ['a hidden name', { name: '.key' }],
    ['no name', { name: '' }],
    ['a path that is not absolute', { path: 'etc/key' }],
    ['a set-uid mode', { mode: 0o4400 }],
    ['a mode in words', { mode: '0400' }],
    ['a mode between two', { mode: 1.5 }],
    ['no owner', { owner: '' }],
    ['no group', { group: undefined }],
    ['a unit in place of a list', { restart: 'a.service' }],
    ['a value that is not base64', { value: { sealed: '%%', digest: value.digest } }],
    ['a digest that is too short', { value: { sealed: 'AAAA', digest: 'ab' } }],
    ['a value without digest', { value: { sealed: 'AAAA' } }],
    ['a value that is null', { value: null }],
    ['a cause that is no text', { cause: 1 }],
  ])('with %s is refused', (_damage, change) => {
    expect(parseKept(fields(change))).toBeNull();
  });

  test.each([
    ['another format', '{"format": 2, "secrets": []}'],
    ['no format', '{"secrets": []}'],
    ['no secrets', '{"format": 1}'],
    ['a list alone', '[]'],
    ['null', 'null'],
    ['zeroes, as a power cut leaves them', '\0'.repeat(100)],
  ])('that is %s is refused', (_damage, text) => {
    expect(parseKept(text)).toBeNull();
  });
});

test('what is told of a secret is its digest, or why its own value is not there, also with a last good one', () => {
  expect(heldOf(plain)).toEqual({ name: 'key', digest: value.digest });
  expect(heldOf({ ...plain, cause: 'sealed to others' })).toEqual({ name: 'key', cause: 'sealed to others' });
  expect(heldOf({ ...without, cause: 'gone' })).toEqual({ name: 'key', cause: 'gone' });
  expect(heldOf(without)).toEqual({ name: 'key', cause: 'it has no value' });
});
