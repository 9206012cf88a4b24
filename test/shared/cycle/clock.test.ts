import { describe, expect, test } from 'vitest';
import { clockProblem } from '../../../shared/cycle/clock.ts';

const committed = Date.parse('2026-11-22T12:00:00Z') / 1000;

describe('a clock beside the newest revision', () => {
  test.each([
    ['2026-11-22T12:00:00Z', undefined],
    // An admin's clock may run ahead of a host's.
    ['2026-11-22T00:00:00Z', undefined],
    ['2031-01-01T00:00:00Z', undefined],
    ['1970-01-01T00:00:00Z', /57 years behind/],
    ['2026-11-19T12:00:00Z', /3 days behind/],
    ['2065-01-01T00:00:00Z', /38 years ahead/],
  ])('%s', (now, expected) => {
    const said = clockProblem(Date.parse(now), committed);
    if (expected === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(expected);
  });
});
