import { describe, expect, test } from 'vitest';
import { formatRemembered, parseRemembered, stepBack } from '../../../shared/record/remembered.ts';

const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [string, string, string];

describe('a reader compares with what it saw', () => {
  const before = { seq: 7, id: a, genesis: c };
  const now = (seq: number, id = b, genesis = c) => ({ seq, id, genesis });

  test.each<[string, ReturnType<typeof now> | null, boolean, RegExp | undefined]>([
    ['the same record', now(7, a), false, undefined],
    ['a later one above it', now(9), true, undefined],
    ['an older one', now(6), false, /set back on the server to record 6: record 7 \(aaaaaaa\)/],
    ['another one with its number', now(7), false, /rewritten: record 7 \(aaaaaaa\)/],
    ['a later one that is not above it', now(9), false, /rewritten/],
    ['nothing', null, false, /gone from the server, where record 7 \(aaaaaaa\)/],
    ['another machine under the name', now(0, b, b), false, undefined],
  ])('%s', (_what, shown, follows, said) => {
    const problem = stepBack(before, shown, follows);
    if (said === undefined) expect(problem).toBeUndefined();
    else expect(problem).toMatch(said);
  });
});

describe('what is remembered', () => {
  const remembered = {
    introduction: a,
    authentic: null,
    seen: new Map([['web1', { seq: 7, id: b, genesis: c }]]),
  };

  test('is read back as it was written', () => {
    expect(parseRemembered(formatRemembered(remembered, 'main'), 'main')).toEqual(remembered);
    const text = formatRemembered({ ...remembered, authentic: b }, 'main');
    expect(parseRemembered(text, 'main')?.authentic).toBe(b);
    expect(parseRemembered(text, '__proto__')?.authentic).toBeNull();
  });

  test('of other branches stays, but not under another introduction', () => {
    const before = formatRemembered({ ...remembered, authentic: b }, 'main');
    const after = formatRemembered({ ...remembered, authentic: c }, 'topic', before);
    expect(['main', 'topic'].map((name) => parseRemembered(after, name)?.authentic)).toEqual([b, c]);
    const anew = formatRemembered({ ...remembered, introduction: c, authentic: c }, 'topic', before);
    expect(parseRemembered(anew, 'main')?.authentic).toBeNull();
  });

  test('by a version that knew one branch is a floor of any', () => {
    const old = JSON.stringify({ format: 1, introduction: a, authentic: b, seen: {} });
    expect(parseRemembered(old, 'main')?.authentic).toBe(b);
  });

  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['a later format', formatRemembered(remembered, 'main').replace('"format": 1', '"format": 2')],
    ['something that is no commit', formatRemembered(remembered, 'main').replace(a, 'HEAD')],
    ['half of it', formatRemembered(remembered, 'main').slice(0, 90)],
  ])('of %s nothing is', (_what, text) => {
    expect(parseRemembered(text, 'main')).toBeNull();
  });
});
