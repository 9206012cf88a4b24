import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration, parseTime } from '../../../shared/fleet/duration.ts';
import { seeded } from './sample.ts';

describe('parseDuration', () => {
  test.each([
    ['1ms', 1],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['90s', 90_000],
  ])('%s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test.each([
    '',
    '0s',
    '-5m',
    '+5m',
    '05m',
    '5',
    'm',
    '1.5h',
    '5 m',
    '5M',
    '1h30m',
    '5min',
    '1e3s',
    ' 5m',
    '5m\n',
    '٥m',
    '999999999999d',
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('formatDuration', () => {
  test.each([
    [500, '500ms'],
    [1500, '1500ms'],
    [60_000, '1m'],
    [90_000, '90s'],
    [86_400_000, '1d'],
    [90_000_000, '25h'],
  ])('%d is %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  test('is read back as the same number', () => {
    const seed = 20_270_105;
    const random = seeded(seed);
    for (let round = 0; round < 500; round += 1) {
      const milliseconds = 1 + Math.floor(random() * 10 ** (1 + random() * 11));
      expect(parseDuration(formatDuration(milliseconds)), `seed ${seed}`).toBe(milliseconds);
    }
  });
});

describe('parseTime', () => {
  test.each([
    // The examples of RFC 3339, section 5.8.
    ['1985-04-12T23:20:50.52Z', Date.UTC(1985, 3, 12, 23, 20, 50, 520)],
    ['1996-12-19T16:39:57-08:00', Date.UTC(1996, 11, 20, 0, 39, 57)],
    ['1990-12-31T23:59:60Z', Date.UTC(1991, 0, 1)],
    ['1990-12-31T15:59:60-08:00', Date.UTC(1991, 0, 1)],
    ['1937-01-01T12:00:27.87+00:20', Date.UTC(1937, 0, 1, 11, 40, 27, 870)],
    // And what fleet.yaml allows besides.
    ['2027-01-05T08:00Z', Date.UTC(2027, 0, 5, 8)],
    ['2027-01-05t08:00z', Date.UTC(2027, 0, 5, 8)],
    ['2028-02-29T00:00+01:00', Date.UTC(2028, 1, 28, 23)],
    ['2027-01-05T08:00:00.123456789Z', Date.UTC(2027, 0, 5, 8, 0, 0, 123)],
  ])('%s', (text, milliseconds) => {
    expect(parseTime(text)).toBe(milliseconds);
  });

  test.each([
    '2027-01-05',
    '2027-01-05T08:00',
    '2027-01-05 08:00Z',
    '2027-1-5T08:00Z',
    '2027-02-29T08:00Z',
    '2027-13-01T08:00Z',
    '2027-00-01T08:00Z',
    '2027-01-00T08:00Z',
    '2027-01-05T24:00Z',
    '2027-01-05T08:60Z',
    '2027-01-05T08:00:61Z',
    '2027-01-05T08:00+24:00',
    '2027-01-05T08:00+0100',
    '2027-01-05T08:00.5Z',
    '1767600000',
    'tomorrow',
  ])('refuses %s', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });

  test('knows years below 100', () => {
    expect(parseTime('0050-01-01T00:00Z')).toBe(Date.parse('0050-01-01T00:00:00Z'));
  });
});
