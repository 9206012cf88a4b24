import { describe, expect, test } from 'vitest';
import { isLeft, leftRemedy, leftSentence, reopened } from '../../../shared/cycle/corrections.ts';
import { driftRemedy, saidOfDrift } from '../../../shared/cycle/drift.ts';
import type { Drift, Journal } from '../../../shared/cycle/journal.ts';
import { fullJournal } from '../../agent/adapters/journals.ts';

const minute = 60_000;
const head = 'a'.repeat(40);
const drift: Drift = {
  strays: [{ link: 'current', should: 'generations/5', leads: 'generations/4' }],
};
const standing = { head, event: 'deployed', code: 0, cause: '', under: 'x' } as const;
const { corrects, ...reporting } = fullJournal.pace;
const quiet: Journal = {
  ...{ ...fullJournal, standing, drift: null, corrections: null },
  pace: { ...reporting, corrects: true },
};

/** Drifts that are found at these times: which of them are put right. */
function putRight(times: readonly number[], journal = quiet): readonly boolean[] {
  let now = journal;
  return times.map((time) => {
    const change = reopened(now, drift, time);
    // Once it is put right, the same head stands again.
    now = { ...now, ...change, standing: now.standing };
    return change.standing === null;
  });
}

describe('a drift is put right', () => {
  test('three times within an hour, and then no more while it goes on', () => {
    expect(putRight([0, 1, 2, 3, 4, 5].map((each) => each * minute))).toEqual([
      ...[true, true, true],
      ...[false, false, false],
    ]);
  });

  test('as often as it comes up, where that is seldom', () => {
    const times = Array.from({ length: 12 }, (_, index) => index * 21 * minute);
    expect(putRight(times)).toEqual(times.map(() => true));
  });

  test('again once there was peace for an hour', () => {
    const first = [0, 1, 2, 3].map((each) => each * minute);
    expect(putRight([...first, 62 * minute, 124 * minute])).toEqual([true, true, true, false, true, true]);
  });

  test('never, while each hour begins before it had peace', () => {
    const times = Array.from({ length: 20 }, (_, index) => index * 10 * minute);
    expect(putRight(times).slice(3)).toEqual(times.slice(3).map(() => false));
  });

  test('again at another head', () => {
    const corrections = { head: 'b'.repeat(40), at: [0, 1, 2, 3] };
    expect(putRight([4, 5, 6, 7], { ...quiet, corrections })).toEqual([true, true, true, false]);
  });

  test('also after the clock was set back by more than an hour', () => {
    const corrections = { head, at: [0, 1, 2, 3].map((each) => each * minute) };
    expect(putRight([-90 * minute], { ...quiet, corrections })).toEqual([true]);
  });

  test('nowhere but where that is asked for, and the head is deployed well; and that is not counted', () => {
    expect(reopened({ ...quiet, pace: reporting }, drift, 0)).toEqual({});
    expect(reopened({ ...quiet, standing: null }, drift, 0)).toEqual({});
    expect(reopened({ ...quiet, standing: { ...standing, code: 40 } }, drift, 0)).toEqual({});
    expect(reopened(quiet, null, 0)).toEqual({});
  });

  test('and the journal keeps no more times than it needs', () => {
    let journal = quiet;
    for (let time = 0; time < 100; time += 1)
      journal = { ...journal, ...reopened(journal, drift, time), standing };
    expect(journal.corrections).toEqual({ head, at: [96, 97, 98, 99] });
  });
});

describe('that a drift is left is said', () => {
  const left: Journal = { ...quiet, drift, corrections: { head, at: [0, 1, 2, 3] } };

  test('with what to do about it, and only then', () => {
    expect(isLeft(left)).toBe(true);
    expect(saidOfDrift(left)).toEqual([
      'var/lib/autark/current was changed by hand: it leads to generations/4; the agent had it lead to generations/5',
      leftSentence,
    ]);
    expect(driftRemedy(saidOfDrift(left))).toBe(leftRemedy);
  });

  test.each<[string, Partial<Journal>]>([
    ['the third one', { corrections: { head, at: [0, 1, 2] } }],
    ['one at a head that has come since', { standing: { ...standing, head: 'b'.repeat(40) } }],
    ['one that is not to be put right any more', { pace: reporting }],
    ['the first one', { corrections: null }],
  ])('not of %s', (_, change) => {
    const said = saidOfDrift({ ...left, ...change });
    expect(said).toHaveLength(1);
    expect(driftRemedy(said)).toMatch(/push `drift: correct`/);
  });

  test('nor when there is none', () => {
    expect(saidOfDrift({ ...left, drift: null })).toEqual([]);
  });
});
