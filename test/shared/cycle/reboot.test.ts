import { describe, expect, test } from 'vitest';
import type { Unproved } from '../../../shared/cycle/journal.ts';
import type { Mode } from '../../../shared/cycle/phase.ts';
import { newJournal } from '../../../shared/cycle/new-journal.ts';
import {
  asksAfterReboot,
  hasBootedInto,
  hasRebooted,
  provesNow,
  rebootAskedFor,
  trialMustWait,
  withoutUnproved,
} from '../../../shared/cycle/reboot.ts';

test.each([
  ['the boot that asked for it goes on', 'one', 'one', false],
  ['it is another boot', 'one', 'two', true],
  ['nothing asked for one', null, 'two', false],
  ['the kernel does not say which boot this is', 'one', '', false],
] as const)('%s', (_when, rebootRequired, boot, expected) => {
  expect(hasRebooted({ rebootRequired }, boot)).toBe(expected);
});

const id = (digit: string): string => digit.repeat(40);
const phase: Unproved['phase'] = {
  ...{ at: 'confirm', from: 1, to: 2, revision: id('2'), mode: 'boot', exit: 0, waitsIn: 'one' },
};

describe('a generation that is the boot default alone', () => {
  test('is asked after the reboot, and has booted once it is another boot', () => {
    expect([asksAfterReboot(phase, 'one'), hasBootedInto(phase, 'one')]).toEqual([true, false]);
    expect([asksAfterReboot(phase, 'two'), hasBootedInto(phase, 'two')]).toEqual([false, true]);
  });

  test.each([
    ['the kernel does not say which boot this is', { ...phase, waitsIn: '' }, ''],
    ['it did not say so when it was made the default', { ...phase, waitsIn: '' }, 'two'],
    ['a person went back to it', { ...phase, left: id('3') }, 'one'],
    ['it runs already', { ...phase, mode: 'switch' }, 'one'],
  ] as const)('is not waited for when %s', (_when, confirming, boot) => {
    expect(asksAfterReboot(confirming, boot)).toBe(false);
  });

  const running = (generation: number, revision: string) => ({
    ...{ kind: 'exec', path: `/systems/${generation}`, digest: `${generation}`, generation, revision },
    since: '2026-01-01T00:00:00Z',
  });
  const beginning = {
    ...{ fleet: 'f', host: 'web1', installation: 'i', genesis: id('0'), accepted: null, acceptedUnder: '' },
    ...{ seq: 1, tip: id('0'), recordedAt: 0 },
  };
  const journal = {
    ...newJournal(beginning),
    ...{ running: running(2, id('4')), previous: 1, earlier: [0], lastGood: 1, rebootRequired: 'one' },
    unproved: {
      phase: { ...phase, isRecorded: true },
      ...{ running: running(1, id('1')), previous: 0, earlier: [], rebootRequired: null },
    },
  } as unknown as Parameters<typeof provesNow>[0];

  test('is confirmed after the reboot as if the switch had just happened, under its newest revision', () => {
    expect(provesNow(journal)).toMatchObject({
      ...{ running: { generation: 1 }, previous: 0, earlier: [], rebootRequired: null, unproved: null },
      phase: { at: 'confirm', to: 2, revision: id('4'), isRecorded: true },
    });
  });

  test('leaves the journal as it was when another takes its place', () => {
    expect(withoutUnproved(journal)).toEqual({
      ...{ running: running(1, id('1')), previous: 0, earlier: [], rebootRequired: null, unproved: null },
    });
    expect(withoutUnproved({ unproved: null })).toEqual({});
  });

  test('keeps trials waiting, and nothing else', () => {
    expect(trialMustWait(journal, { isTrial: true })).toMatchObject({ kind: 'held' });
    expect(trialMustWait(journal, { isTrial: false })).toBeUndefined();
    expect(trialMustWait({ ...journal, unproved: null }, { isTrial: true })).toBeUndefined();
  });
});

/** Before, mode, exit code, booted into, what the machine says; and what is asked for then. */
const asked: readonly (readonly [string | null, Mode, number, boolean, boolean | null, string | null])[] = [
  [null, 'switch', 0, false, null, null],
  [null, 'switch', 100, false, false, 'now'],
  [null, 'switch', 0, false, true, 'now'],
  // What a live switch took back is asked for no more; where nobody can tell, it still is.
  ['old', 'switch', 0, false, false, null],
  ['old', 'switch', 0, false, null, 'old'],
  ['old', 'test', 0, false, false, 'old'],
  [null, 'test', 0, false, true, null],
  [null, 'boot', 0, false, null, 'now'],
  ['now', 'boot', 0, true, false, null],
  ['now', 'boot', 0, true, null, null],
  [null, 'boot', 0, true, true, 'now'],
];
test.each(asked)(
  'of %s before, %s with %i, booted %s, and a machine that says %s: %s',
  (rebootRequired, mode, exit, isBooted, asks, expected) => {
    expect(rebootAskedFor({ rebootRequired }, { boot: 'now', mode, exit, isBooted, asks })).toBe(expected);
  },
);
