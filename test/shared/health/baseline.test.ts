import { describe, expect, test } from 'vitest';
import {
  demanded,
  excused,
  newlyFailed,
  refuse,
  worldsFault,
  type Baseline,
} from '../../../shared/health/baseline.ts';
import type { Check } from '../../../shared/health/check.ts';
import { exitCode, isOfTheWorld, type Failure } from '../../../shared/failure.ts';

const waits = { timeout: 1, retries: 0, soak: 0 };
const well: Check = { kind: 'tcp', target: '127.0.0.1:80', ...waits };
const ill: Check = { kind: 'unit', target: 'old.service', ...waits };
const baseline: Baseline = {
  ...{ checks: [well, ill], good: [true, false] },
  ...{ failedUnits: ['old.service'], reached: true },
};
const gone: Failure = { kind: 'unreachable', cause: 'connection refused', remedy: 'wait' };
const fine = { sights: [[well, { good: true, seen: 'is good' }] as const], failedUnits: ['old.service'] };

test('what was broken before is not demanded, and a check with no verdict proves nothing either', () => {
  expect(demanded(baseline)).toEqual([well]);
  expect(excused(baseline)).toEqual([ill]);
  expect(demanded({ ...baseline, good: [] })).toEqual([]);
});

test.each([
  [['old.service'], []],
  [['new.service', 'old.service'], ['new.service']],
  [[], []],
  [null, []],
])('of the failed units %j, these are new: %j', (now, expected) => {
  expect(newlyFailed(baseline, now)).toEqual(expected);
});

test('no unit is new where nobody could say what had failed before', () => {
  expect(newlyFailed({ ...baseline, failedUnits: null }, ['new.service'])).toEqual([]);
});

describe('the verdict', () => {
  test('a generation as well as what ran before is good', () => {
    expect(refuse(7, baseline, fine)).toBeUndefined();
  });

  test('names the check, what it saw, its output and the next step', () => {
    const sight = { good: false, seen: 'answered with status 500', detail: 'last line' };
    const refusal = refuse(7, baseline, { ...fine, sights: [[well, sight]] });
    expect(refusal).toMatchObject({
      isCutOff: false,
      failure: { kind: 'switch-failed', detail: 'last line' },
    });
    expect(refusal?.failure.cause).toMatch(/generation 7 .*tcp 127\.0\.0\.1:80 answered with status 500/);
    expect(refusal?.failure.remedy).toMatch(/mend .* and push/);
  });

  test('names a unit that failed, and where to look', () => {
    const refusal = refuse(7, baseline, { ...fine, failedUnits: ['new.service', 'old.service'] });
    expect(refusal?.isCutOff).toBe(false);
    expect(refusal?.failure.cause).toMatch(/not before: new\.service$/);
    expect(refusal?.failure.remedy).toMatch(/journalctl -u new\.service/);
  });

  test('being cut off is told from being unwell', () => {
    const cutOff = refuse(7, baseline, { ...fine, unreached: gone });
    expect(cutOff?.isCutOff).toBe(true);
    expect(cutOff?.failure.cause).toMatch(/out of reach: connection refused/);
    const both = refuse(7, baseline, { ...fine, failedUnits: ['new.service'], unreached: gone });
    expect(both?.isCutOff).toBe(false);
  });
});

test('a server out of reach from both generations is the fault of the world (50), and both causes are told', () => {
  const before: Failure = { kind: 'switch-failed', cause: 'it was cut off', remedy: 'mend it' };
  const failure = worldsFault(before, 6, gone);
  expect(exitCode(failure.kind)).toBe(50);
  expect(isOfTheWorld(failure.kind)).toBe(true);
  expect(failure.cause).toMatch(/it was cut off; back on generation 6, .*connection refused/);
});
