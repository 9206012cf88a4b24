import { expect, test } from 'vitest';
import { table } from '../../../shared/fleet-view/table.ts';
import { statusTable } from '../../../shared/fleet-view/status-table.ts';
import type { HostView } from '../../../shared/fleet-view/host-state.ts';
import { ago, moment } from '../../../shared/fleet-view/time.ts';

const plain = { width: Infinity, colour: false };

test('columns are as wide as what is in them, and nothing trails', () => {
  const rows = [
    ['HOST', 'STATE', ''],
    ['web1', 'ok', 'fine'],
    ['database', 'failed', ''],
  ];
  expect(
    table(
      rows.map((row) => row.map((text) => ({ text }))),
      plain,
    ),
  ).toBe('HOST      STATE\nweb1      ok      fine\ndatabase  failed\n');
});

test('a line fits the width', () => {
  const row = [{ text: 'web1' }, { text: 'the build failed because of something long' }];
  expect(table([row], { width: 20, colour: false })).toBe('web1  the build fai…\n');
  expect(table([row], { width: 3, colour: false })).toBe('we…\n');
});

test('colours do not change where columns are', () => {
  const rows = [
    [{ text: 'a', style: 31 }, { text: 'x' }],
    [{ text: 'long' }, { text: 'y' }],
  ];
  const coloured = table(rows, { width: 80, colour: true });
  expect(coloured).toBe('\u001b[31ma\u001b[0m     x\nlong  y\n');
  expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(table(rows, { width: 80, colour: false }));
});

test('what a host wrote cannot drive the terminal', () => {
  const hostile: HostView = {
    host: 'web1',
    state: 'failed',
    cause: 'gone\u001b[2J\u001b]0;title\u0007\r\nweb2  converged',
    code: 30,
    revision: 'a'.repeat(40),
    behind: 1,
    generation: 2,
    since: '2027-01-05T10:00:00Z',
    verified: true,
  };
  const text = statusTable([hostile], { ...plain, now: Date.parse('2027-01-05T10:03:00Z') });
  expect(text.split('\n')).toHaveLength(3);
  expect(text.split('\n')[1]).toBe('web1  failed  aaaaaaa   1       2    3m ago  gone web2 converged');
});

test('how long ago, in the largest unit', () => {
  const at = Date.parse('2027-01-05T10:00:00Z');
  expect([0, 4, 59, 60, 3599, 3600, 86_399, 86_400, 864_000, -50].map((s) => ago(at, at + s * 1000))).toEqual(
    ['now', 'now', '59s ago', '1m ago', '59m ago', '1h ago', '23h ago', '1d ago', '10d ago', 'now'],
  );
});

test('a moment is a span before now or RFC 3339', () => {
  const now = Date.parse('2027-01-05T10:00:00Z');
  expect(moment('90s', now)).toBe(now - 90_000);
  expect(moment('2h', now)).toBe(now - 7_200_000);
  expect(moment('1w', now)).toBe(now - 604_800_000);
  expect(moment('2027-01-05', now)).toBe(Date.parse('2027-01-05T00:00:00Z'));
  expect(moment('2027-01-05T08:00:00+02:00', now)).toBe(Date.parse('2027-01-05T06:00:00Z'));
  for (const wrong of [
    '',
    'yesterday',
    '2',
    'h',
    '2 h',
    '-2h',
    '1e3s',
    '2027-13-01',
    '2027-01-05T08:00',
    '5',
  ]) {
    expect(moment(wrong, now), wrong).toBeUndefined();
  }
});
