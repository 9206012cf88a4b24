import { describe, expect, test } from 'vitest';
import { isName, nearest } from '../../../shared/fleet/name.ts';

describe('isName', () => {
  test.each(['a', '0', 'web1', 'x-ray', 'a--b', 'constructor', 'a'.repeat(63), '1'.repeat(63)])(
    'takes %s',
    (name) => {
      expect(isName(name)).toBe(true);
    },
  );

  test.each([
    '',
    '-',
    '-a',
    'a-',
    'Web1',
    'web_1',
    'web.1',
    'web 1',
    'web1\n',
    'wéb',
    '../x',
    'a/b',
    'a'.repeat(64),
  ])('refuses %j', (name) => {
    expect(isName(name)).toBe(false);
  });
});

describe('nearest', () => {
  const known = ['interval', 'heartbeat', 'health', 'key', 'keep', 'knownHosts'];

  test.each([
    ['intervall', 'interval'],
    ['interal', 'interval'],
    ['itnerval', 'interval'],
    ['haelth', 'health'],
    ['kye', 'key'],
    ['kep', 'key'],
    ['knownhosts', 'knownHosts'],
    ['HEALTH', 'health'],
  ])('%s may mean %s', (word, expected) => {
    expect(nearest(word, known)).toBe(expected);
  });

  test.each(['zzz', 'x', '', 'somethingelse', 'i'.repeat(10_000)])('%.20j is near nothing', (word) => {
    expect(nearest(word, known)).toBeUndefined();
  });

  test('is undefined when nothing is known', () => {
    expect(nearest('web', [])).toBeUndefined();
  });
});
