import { expect, test } from 'vitest';
import { endOfTrial, foundAt, nextAim } from '../../../shared/cycle/aim.ts';
import type { Journal, Standing } from '../../../shared/cycle/journal.ts';
import { fullJournal } from '../../agent/adapters/journals.ts';

const [main, offered, other] = ['a'.repeat(40), 'b'.repeat(40), 'c'.repeat(40)];
const found = (head: string, event: Standing['event'] = 'deployed', code = 0): Standing => ({
  ...{ head, event, code, cause: '', under: 'u' },
});
/** A host that has deployed the head and has nothing to try. */
const settled: Journal = { ...fullJournal, standing: found(main), trial: null, overtaken: null };
const around = (testing: string | null, under = 'u') => ({
  heads: { revision: main, testing },
  under,
  now: 0,
});
const head = { revision: main, isTrial: false };
const trial = { revision: offered, isTrial: true };

test('the head comes first, and what is to be tried only once that is settled', () => {
  expect(nextAim({ ...settled, standing: null }, around(offered))).toEqual(head);
  expect(nextAim({ ...settled, standing: found(other) }, around(offered))).toEqual(head);
  expect(nextAim(settled, around(offered, 'other settings'))).toEqual(head);
  expect(nextAim(settled, around(offered))).toEqual(trial);
});

test('a trial mends a head that cannot be deployed, but not a host that waits', () => {
  expect(nextAim({ ...settled, standing: found(main, 'failed', 30) }, around(offered))).toEqual(trial);
  for (const event of ['held', 'paused', 'retired'] as const) {
    expect(nextAim({ ...settled, standing: found(main, event, 10) }, around(offered))).toBeUndefined();
  }
});

test('nothing is left when both were judged, or there is nothing to try', () => {
  expect(nextAim(settled, around(null))).toBeUndefined();
  expect(nextAim(settled, around(main))).toBeUndefined();
  expect(nextAim({ ...settled, overtaken: offered }, around(offered))).toBeUndefined();
  expect(nextAim({ ...settled, trial: found(offered, 'testing') }, around(offered))).toBeUndefined();
  expect(nextAim({ ...settled, trial: found(other, 'testing') }, around(offered))).toEqual(trial);
});

test('a trial is over when its branch is gone or left behind; the head is then looked at again', () => {
  const trying = { ...settled, trial: found(offered, 'testing') };
  const over = { trial: null, standing: null, failedTrial: null };
  const heads = (testing: string | null) => ({ revision: main, testing });
  expect(endOfTrial(trying, heads(offered))).toBeUndefined();
  expect(endOfTrial(trying, heads(null))).toEqual(over);
  expect(endOfTrial(trying, heads(main))).toEqual(over);
  expect(endOfTrial({ ...trying, overtaken: offered }, heads(offered))).toEqual(over);
  expect(endOfTrial(settled, heads(null))).toBeUndefined();
});

test('one that has moved is tried anew, without the head in between', () => {
  const trying = { ...settled, trial: found(offered, 'testing') };
  expect(endOfTrial(trying, { revision: main, testing: other })).toEqual({ trial: null });
});

test('whatever is found about the head ends every trial', () => {
  expect(foundAt(head, found(main))).toEqual({ standing: found(main), trial: null });
  expect(foundAt(trial, found(offered))).toEqual({ trial: found(offered) });
});
