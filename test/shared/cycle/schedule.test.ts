import { describe, expect, test } from 'vitest';
import { slotOf, waitFor } from '../../../shared/cycle/schedule.ts';
import { chooseSeed, seeded } from '../../agent/adapters/scratch.ts';

const minute = 60_000;
const calm = { now: 0, interval: minute, slot: 0, fraction: 0, failures: 0 };

describe('a slot', () => {
  test('is the same each time, and another one for another host or fleet', () => {
    expect(slotOf('f', 'web1')).toBe(slotOf('f', 'web1'));
    const slots = [slotOf('f', 'web1'), slotOf('f', 'web2'), slotOf('g', 'web1'), slotOf('fw', 'eb1')];
    expect(new Set(slots).size).toBe(4);
  });

  test('lies in [0, 1), and a thousand hosts are spread evenly', () => {
    const tenths = Array<number>(10).fill(0);
    for (let host = 0; host < 1000; host += 1) {
      const slot = slotOf('fleet', `host-${host}`);
      expect(slot).toBeGreaterThanOrEqual(0);
      expect(slot).toBeLessThan(1);
      tenths[Math.floor(slot * 10)] = (tenths[Math.floor(slot * 10)] ?? 0) + 1;
    }
    // 100 expected in each; the standard deviation is 9.5.
    for (const count of tenths) expect(Math.abs(count - 100)).toBeLessThan(50);
  });
});

describe('the wait for the next poll', () => {
  test.each([
    [0, 0, minute],
    [1, 0, minute - 1],
    [minute - 1, 0, 1],
    [minute, 0, minute],
    [0, 0.5, minute / 2],
    [minute / 2, 0.5, minute],
    [10_000, 0.25, 5000],
    [20_000, 0.25, 55_000],
  ])('at %d ms with slot %d is %d ms', (now, slot, wait) => {
    expect(waitFor({ ...calm, now, slot })).toBe(wait);
  });

  // 1901, just before the epoch, the epoch, the end of 31 and of 32 bits of seconds, and the end of Date.
  test.each([-2_147_483_648_000, -1, 0, 2_147_483_647_999, 4_294_967_296_000, 8_640_000_000_000_000])(
    'with a clock at %d is still above zero, and no longer than an interval and its jitter',
    (now) => {
      for (const interval of [1000, minute, 24 * 86_400_000])
        for (const slot of [0, 0.1, 0.999999])
          for (const fraction of [0, 0.5, 0.999999]) {
            const wait = waitFor({ now, interval, slot, fraction, failures: 0 });
            expect(Number.isSafeInteger(wait)).toBe(true);
            expect(wait).toBeGreaterThanOrEqual(1);
            expect(wait).toBeLessThanOrEqual(Math.round(interval * 1.05));
          }
    },
  );

  test('brings the host to its own slot, late by no more than a twentieth of the interval', () => {
    const seed = chooseSeed();
    const random = seeded(seed);
    for (let round = 0; round < 1000; round += 1) {
      const [interval, slot, fraction] = [1000 + Math.floor(random() * 1e6), random(), random()];
      const now = Math.floor(random() * 4e12);
      const then = now + waitFor({ now, interval, slot, fraction, failures: 0 });
      const late = (((then - slot * interval) % interval) + interval) % interval;
      // Rounded to whole milliseconds, it may be half of one early.
      const isOnTime = late <= interval * 0.05 + 1 || interval - late <= 1;
      expect(isOnTime, `seed ${seed}, round ${round}: ${late} of ${interval}`).toBe(true);
    }
  });
});

describe('the wait while the world is at fault', () => {
  const longest = (failures: number, interval = minute): number =>
    waitFor({ ...calm, interval, fraction: 1, failures });

  test('has a bound that doubles with each failure, up to a quarter of an hour', () => {
    const bounds = [1, 2, 3, 4, 5, 6, 100].map((failures) => longest(failures));
    expect(bounds.slice(0, 3)).toEqual([2 * minute, 4 * minute, 8 * minute]);
    expect(bounds.slice(3)).toEqual([15 * minute, 15 * minute, 15 * minute, 15 * minute]);
  });

  test('is spread over the whole range, so that a fleet does not come back at once', () => {
    const waits = [0, 0.25, 0.5, 0.75].map((fraction) => waitFor({ ...calm, fraction, failures: 3 }));
    const steps = waits.slice(1).map((wait, index) => wait - (waits[index] ?? 0));
    expect(Math.max(...steps) - Math.min(...steps)).toBeLessThanOrEqual(1);
    expect((steps[0] ?? 0) * 4).toBeGreaterThan(7 * minute);
  });

  test('is never a busy loop, however small the fraction and however many the failures', () => {
    for (const failures of [1, 2, 20, 1e6, Number.MAX_SAFE_INTEGER])
      expect(waitFor({ ...calm, failures })).toBeGreaterThanOrEqual(minute / 2);
    expect(waitFor({ ...calm, interval: 1, failures: 1 })).toBeGreaterThanOrEqual(1);
  });

  test('of a host that polls seldom is never longer than its interval', () => {
    const hour = 60 * minute;
    expect(longest(1, hour)).toBe(hour);
    expect(longest(9, hour)).toBe(hour);
  });

  test('does not look at the clock', () => {
    const wait = (now: number): number => waitFor({ ...calm, now, fraction: 0.3, failures: 2 });
    expect(wait(0)).toBe(wait(4_294_967_296_000));
  });
});
