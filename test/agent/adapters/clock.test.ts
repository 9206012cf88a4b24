import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { sleep, systemClock } from '../../../agent/adapters/clock.ts';
import { systemRandom } from '../../../agent/adapters/random.ts';

const never = (): AbortSignal => new AbortController().signal;

afterEach(() => {
  vi.useRealTimers();
});

describe('sleep', () => {
  test('is never early', async () => {
    const clock = systemClock();
    for (const ms of [0, 0.5, 1, 3, 7]) {
      const begin = clock.awake();
      await sleep(ms, never());
      expect(clock.awake() - begin).toBeGreaterThanOrEqual(ms);
    }
  });

  test('takes no timer’s limit for its own', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const ms = 2 ** 31 * 3;
    let done = false;
    const sleeping = sleep(ms, never()).then(() => (done = true));
    await vi.advanceTimersByTimeAsync(ms - 1);
    expect(done).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await sleeping;
    expect(done).toBe(true);
  });

  test('ends with its signal, however long it is, and leaves no listener', async () => {
    const abort = new AbortController();
    const sleeping = [sleep(Infinity, abort.signal), sleep(2 ** 40, abort.signal)];
    abort.abort();
    await Promise.all(sleeping);
    await sleep(Infinity, abort.signal);
    const signal = never();
    await sleep(1, signal);
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

test('the clock tells the epoch and time awake', () => {
  const clock = systemClock();
  const before = Date.now();
  const now = clock.now();
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(Date.now());
  const first = clock.awake();
  expect(clock.awake()).toBeGreaterThanOrEqual(first);
});

test('random ids are 32 hex digits and differ; fractions stay in [0, 1) and spread', () => {
  const random = systemRandom();
  const ids = Array.from({ length: 100 }, () => random.id());
  expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
  expect(new Set(ids).size).toBe(100);
  const fractions = Array.from({ length: 1000 }, () => random.fraction());
  expect(Math.min(...fractions)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...fractions)).toBeLessThan(1);
  // Each of ten buckets holds about 100 of 1000; 40 is more than six standard deviations away.
  const buckets = new Map<number, number>();
  for (const one of fractions)
    buckets.set(Math.floor(one * 10), (buckets.get(Math.floor(one * 10)) ?? 0) + 1);
  expect(Math.min(...buckets.values())).toBeGreaterThan(40);
  expect(buckets.size).toBe(10);
});
