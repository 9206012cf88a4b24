import { expect, test } from 'vitest';
import type { Standing } from '../../../shared/cycle/journal.ts';
import { saysTheSame, standingOf, stillStands } from '../../../shared/cycle/standing.ts';

const head = 'a'.repeat(40);
const failure = { kind: 'build-failed', cause: 'it broke', remedy: 'mend it' } as const;
const failed = standingOf({ event: 'failed', failure }, { head, under: 'u' });

test('what stands has the failure’s code and cause, or 0 and none', () => {
  expect(failed).toEqual({ head, under: 'u', event: 'failed', code: 30, cause: 'it broke' });
  expect(standingOf({ event: 'deployed' }, { head, under: 'u' })).toMatchObject({ code: 0, cause: '' });
  expect(standingOf({ event: 'paused', failure }, { head, under: 'u', until: 5 }).until).toBe(5);
});

test('it stands for the same head under the same settings only', () => {
  const now = { head, under: 'u', now: 0 };
  expect(stillStands(failed, now)).toBe(true);
  expect(stillStands(null, now)).toBe(false);
  expect(stillStands(failed, { ...now, head: 'b'.repeat(40) })).toBe(false);
  expect(stillStands(failed, { ...now, under: 'v' })).toBe(false);
  expect(stillStands(failed, { ...now, now: 4_294_967_296_000 })).toBe(true);
});

test('a pause stands until its end, to the millisecond, whatever the clock does before', () => {
  const paused: Standing = { ...failed, event: 'paused', until: 1000 };
  const at = (now: number): boolean => stillStands(paused, { head, under: 'u', now });
  expect([-1e15, 0, 999, 1000, 1001, 1e15].map(at)).toEqual([true, true, true, false, false, false]);
});

test('a finding repeats another one when head, event and cause are the same; settings do not count', () => {
  expect(saysTheSame(failed, { ...failed, under: 'v' })).toBe(true);
  expect(saysTheSame(failed, { ...failed, until: 7 })).toBe(true);
  expect(saysTheSame(null, failed)).toBe(false);
  expect(saysTheSame(failed, { ...failed, head: 'b'.repeat(40) })).toBe(false);
  expect(saysTheSame(failed, { ...failed, event: 'held' })).toBe(false);
  expect(saysTheSame(failed, { ...failed, cause: 'it broke again' })).toBe(false);
});
