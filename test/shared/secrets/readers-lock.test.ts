import { expect, test } from 'vitest';
import { formatLock, parseLock, type ReadersLock } from '../../../shared/secrets/readers-lock.ts';

const lock: ReadersLock = new Map([
  ['secrets/web1/b.age', { sha256: 'b'.repeat(64), changed: 1000, recipients: ['age1qqq'] }],
  ['secrets/a.age', { sha256: 'a'.repeat(64), changed: 0, recipients: ['age1qqq', 'ssh-ed25519 AAAA'] }],
]);
const text = formatLock(lock);

test('what is written is read again, sorted by path', () => {
  const read = parseLock(text);
  expect(read.ok && formatLock(read.value)).toBe(text);
  expect(read.ok && [...read.value.keys()]).toEqual(['secrets/a.age', 'secrets/web1/b.age']);
  expect(text).toContain('  changed 1970-01-01T00:00:01Z\n');
});

test.each([
  ['another first line', (each: string) => each.replace('# Which', '# which'), 1],
  ['a path out of place', (each: string) => each.replace('secrets/a.age', 'secrets/z.age'), 7],
  ['a path that leads elsewhere', (each: string) => each.replace('secrets/a.age', 'secrets/../a.age'), 2],
  ['a digest cut short', (each: string) => each.replace('aa\n', 'a\n'), 3],
  ['a day that is none', (each: string) => each.replace('1970-01-01', '1970-02-31'), 4],
  ['keys in another order', (each: string) => each.replace('age1qqq\n  ssh', 'ssh-ed25519 ZZZZ\n  ssh'), 6],
  [
    'a conflict of a merge',
    (each: string) => each.replace('secrets/a.age', '<<<<<<< HEAD\nsecrets/a.age'),
    2,
  ],
])('%s is refused with its line', (_what, change, line) => {
  const read = parseLock(change(text));
  expect(read.ok ? 'read' : read.failure.where).toBe(`secrets/readers.lock:${line}`);
});

test('a last line that is cut short is refused', () => {
  expect(parseLock(text.slice(0, -1)).ok).toBe(false);
});
