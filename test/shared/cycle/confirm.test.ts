import { expect, test } from 'vitest';
import { bootDeadlineOf, judge, startUp, stuck, switchFailure } from '../../../shared/cycle/confirm.ts';
import { exitCode } from '../../../shared/failure.ts';

test.each([
  [0, { good: true, rebootRequired: false }],
  [100, { good: true, rebootRequired: true }],
])('exit code %d of an activation is good', (code, verdict) => {
  expect(judge({ how: 'exited', code })).toEqual(verdict);
});

test('every other exit code is not, and is named', () => {
  for (let code = 1; code < 256; code += 1) {
    if (code === 100) continue;
    const verdict = judge({ how: 'exited', code });
    if (verdict.good) throw new Error(`${code} is good`);
    expect(verdict.cause).toMatch(new RegExp(`\\b${code}\\b`));
  }
  expect(judge({ how: 'exited', code: 4 })).toMatchObject({
    cause: expect.stringMatching(/units failed/) as string,
  });
});

test('4 says nothing where failed units are compared with those of before; other codes stay what they are', () => {
  expect(judge({ how: 'exited', code: 4 }, true)).toEqual({ good: true, rebootRequired: false });
  expect(judge({ how: 'exited', code: 5 }, true)).toMatchObject({ good: false });
});

test('an activation that did not end by itself is not good, and its reason is kept', () => {
  expect(judge({ how: 'failed', reason: 'it took too long' })).toEqual({
    good: false,
    cause: 'it took too long',
  });
});

test('a failed switch is 40, and 41 once there is no way back, with both causes and the output', () => {
  const failure = switchFailure(7, 'it exited with 1', 'last line');
  expect(exitCode(failure.kind)).toBe(40);
  expect(failure).toMatchObject({ where: 'generation 7', detail: 'last line' });
  const worse = stuck(failure, 'generation 6 is gone');
  expect(exitCode(worse.kind)).toBe(41);
  expect(worse.cause).toContain(failure.cause);
  expect(worse.cause).toContain('generation 6 is gone');
  expect(worse).toMatchObject({ where: 'generation 7', detail: 'last line' });
  expect(worse.remedy).not.toBe(failure.remedy);
  expect(switchFailure(7, 'x', '')).not.toHaveProperty('detail');
});

test('a machine that has just booted may start to the end and then look for its server before the watchdog fires', () => {
  const check = { kind: 'tcp', target: 'a:1', timeout: 5000, retries: 3, soak: 60_000 } as const;
  const looked = 4 * 6000 + check.soak;
  // Short timeouts leave it no less.
  expect(bootDeadlineOf(2000, 3000, [check])).toBeGreaterThan(startUp + looked + 2000);
});
