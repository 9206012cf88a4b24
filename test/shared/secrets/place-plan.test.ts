import { describe, expect, test } from 'vitest';
import {
  isOurs,
  linkStep,
  meet,
  mergeTellings,
  namedBy,
  parseTellings,
  tellings,
  tellText,
  type AtPath,
  type Telling,
} from '../../../shared/secrets/place-plan.ts';

const place = '/run/autark/secrets';
const target = `${place}/key`;

describe('the link of a secret', () => {
  test.each<[string, AtPath, ReturnType<typeof linkStep>, boolean]>([
    ['nothing', { what: 'nothing' }, 'make', false],
    ['a file or a folder', { what: 'other' }, 'taken', false],
    ['the link as it should be', { what: 'link', target }, 'leave', true],
    ['the link of another secret', { what: 'link', target: `${place}/other` }, 'make', true],
    ['a link to elsewhere', { what: 'link', target: '/etc/key' }, 'taken', false],
    ['a link to the place itself', { what: 'link', target: place }, 'taken', false],
    ['a link to a neighbour of that name', { what: 'link', target: `${place}.d/1/key` }, 'taken', false],
    ['a link that only ends like it', { what: 'link', target: `/mnt${target}` }, 'taken', false],
  ])('where there is %s', (_what, at, step, isTheirs) => {
    expect(linkStep(at, place, target)).toBe(step);
    expect(isOurs(at, place)).toBe(isTheirs);
  });
});

test.each([
  ['/etc/x', '/etc/x', true],
  ['/etc/x', '/etc/x/y', true],
  ['/etc/x/y', '/etc/x', true],
  ['/etc/x', '/etc/xy', false],
  ['/etc/x/y', '/etc/x/z', false],
])('%s and %s are in each other’s way: %s', (one, other, isSo) => {
  expect(meet(one, other)).toBe(isSo);
});

type Digests = ReadonlyMap<string, string>;

describe('who is told', () => {
  /** Where the set before named the same units. */
  const told = (before: Digests, after: Digests, secrets: Parameters<typeof namedBy>[0]) =>
    tellings(before, after, secrets, namedBy(secrets));
  const secret = (name: string, restart: readonly string[], reload: readonly string[] = []) => ({
    ...{ name, restart, reload },
  });
  const at = (digests: Readonly<Record<string, string>>) => new Map(Object.entries(digests));
  const all = [secret('a', ['one.service'], ['two.service']), secret('b', ['two.service'])];

  test('nobody is while digests are the same', () => {
    expect(told(at({ a: '1', b: '1' }), at({ b: '1', a: '1' }), all)).toEqual([]);
  });

  test('the units of what changed are, in the order of the declarations, with that secret', () => {
    expect(told(at({ a: '1', b: '1' }), at({ a: '2', b: '1' }), all)).toEqual([
      { unit: 'one.service', action: 'restart', secret: 'a' },
      { unit: 'two.service', action: 'reload', secret: 'a' },
    ]);
  });

  test('a unit that one change reloads and another restarts is restarted', () => {
    expect(told(at({}), at({ a: '1', b: '1' }), all)).toEqual([
      { unit: 'one.service', action: 'restart', secret: 'a' },
      { unit: 'two.service', action: 'restart', secret: 'b' },
    ]);
  });

  test('a secret that is new tells its units, and one that is gone or has no value nobody', () => {
    expect(told(at({ a: '1' }), at({ a: '1', b: '1' }), all)).toEqual([
      { unit: 'two.service', action: 'restart', secret: 'b' },
    ]);
    expect(told(at({ a: '1', b: '1' }), at({ a: '1' }), all)).toEqual([]);
    expect(told(at({ a: '1', b: '1' }), at({ a: '1' }), all.slice(0, 1))).toEqual([]);
  });

  test('two secrets with equal digests are not taken for each other', () => {
    expect(told(at({ a: '1', b: '2' }), at({ a: '2', b: '1' }), all).map(({ unit }) => unit)).toEqual([
      'one.service',
      'two.service',
    ]);
  });

  test('a unit that is newly named for a value that stayed is only named, and others are not told again', () => {
    const named = namedBy([secret('a', ['one.service']), secret('b', ['two.service'])]);
    const same = at({ a: '1', b: '1' });
    expect(tellings(same, same, all, named)).toEqual([
      { unit: 'two.service', action: 'reload', secret: 'a', isOnlyNamed: true },
    ]);
    // One that another secret's change tells is told, in either order.
    expect(tellings(same, at({ a: '1', b: '2' }), all, named)).toEqual([
      { unit: 'two.service', action: 'restart', secret: 'b' },
    ]);
    // Another secret that named it before, or another way of being told, is another declaration.
    expect(tellings(same, same, [secret('b', [], ['two.service'])], named)).toEqual([
      { unit: 'two.service', action: 'reload', secret: 'b', isOnlyNamed: true },
    ]);
  });

  test('a unit that is no longer named, or is for a secret without a value, is nobody', () => {
    expect(tellings(at({ a: '1' }), at({ a: '1' }), [secret('a', [])], namedBy(all))).toEqual([]);
    expect(tellings(at({}), at({}), all, [])).toEqual([]);
  });
});

describe('what is noted', () => {
  const noted: readonly Telling[] = [
    { unit: 'one.service', action: 'restart', secret: 'a' },
    { unit: 'two@x.service', action: 'reload', secret: 'b-2' },
  ];

  test('has each unit once, a restart before a reload, and the first secret of those', () => {
    const [one, two] = noted;
    if (one === undefined || two === undefined) throw new Error('two are noted');
    const reloaded: Telling = { ...one, action: 'reload', secret: 'z' };
    const merged = [one, two];
    for (const list of [noted, [one, two, reloaded], [one, reloaded, two], [reloaded, two, one]])
      expect(mergeTellings(list)).toEqual(merged);
    expect(mergeTellings([one, { ...one, secret: 'later' }])).toEqual([one]);
    expect(mergeTellings([])).toEqual([]);
  });

  test('is read as it was written', () => {
    expect(tellText(noted)).toBe('restart one.service a\nreload two@x.service b-2\n');
    expect(parseTellings(tellText(noted))).toEqual(noted);
    expect([tellText([]), parseTellings('')]).toEqual(['', []]);
    const named: readonly Telling[] = [
      { unit: 'a.service', action: 'reload', secret: 'a', isOnlyNamed: true },
    ];
    expect(tellText(named)).toBe('named-reload a.service a\n');
    expect(parseTellings(tellText(named))).toEqual(named);
  });

  test('tells nobody by lines of another form, and everybody by the others', () => {
    const text = `stop one.service a\n\nrestart\nrestart one.service\n${tellText(noted)}reload`;
    expect(parseTellings(text)).toEqual(noted);
  });
});
