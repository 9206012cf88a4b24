import { expect, test } from 'vitest';
import { moment } from '../../../shared/fleet-view/time.ts';

const now = Date.UTC(2027, 0, 5, 12);
const hour = 3_600_000;

test('a duration counts back, or on where an end is meant', () => {
  expect([moment('2h', now), moment('2h', now, 'on')]).toEqual([now - 2 * hour, now + 2 * hour]);
  expect([moment('1w', now, 'back'), moment('1w', now, 'on')]).toEqual([now - 168 * hour, now + 168 * hour]);
});

test('RFC 3339 and a date mean the same either way', () => {
  for (const way of ['back', 'on'] as const) {
    expect(moment('2027-01-05T08:00:00Z', now, way)).toBe(now - 4 * hour);
    expect(moment('2027-01-06', now, way)).toBe(now + 12 * hour);
    expect([moment('tomorrow', now, way), moment('2', now, way), moment('2027-13-01', now, way)]).toEqual([
      ...[undefined, undefined, undefined],
    ]);
  }
});
