import { describe, expect, test } from 'vitest';
import type { Checked } from '../../../shared/doctor/checked.ts';
import { checkClock, type ClockFacts } from '../../../shared/doctor/clock.ts';
import { checkMachineId, checkNix } from '../../../shared/doctor/machine.ts';
import { checkSpace, type Space } from '../../../shared/doctor/space.ts';
import { checkUnits, parseUnit } from '../../../shared/doctor/units.ts';

const isOf = (checks: readonly Checked[]) => checks.map(({ is }) => is);
const said = (checks: readonly Checked[]): string => JSON.stringify(checks);

describe('space', () => {
  const roomy: Space = {
    ...{ what: 'records', path: '/var/lib/autark', device: 1, free: 10e9 },
    ...{ freeInodes: 1e6, inodes: 2e6, least: 64e6 },
  };
  test('is short of bytes or of inodes: 52, with the place', () => {
    expect(isOf(checkSpace([roomy]))).toEqual(['well']);
    expect(checkSpace([{ ...roomy, free: 63e6 }])).toMatchObject([
      {
        is: 'not-well',
        finding: { code: 52, where: '/var/lib/autark', cause: expect.stringContaining('63 MB') as string },
      },
    ]);
    expect(checkSpace([{ ...roomy, freeInodes: 4999 }])).toMatchObject([
      { finding: { code: 52, remedy: expect.stringContaining('df -i') as string } },
    ]);
  });

  test('inodes that a file system does not count, or never had many of, are not short', () => {
    expect(isOf(checkSpace([{ ...roomy, freeInodes: 0, inodes: 0 }]))).toEqual(['well']);
    expect(isOf(checkSpace([{ ...roomy, freeInodes: 400, inodes: 1000 }]))).toEqual(['well']);
    expect(isOf(checkSpace([{ ...roomy, freeInodes: 40, inodes: 1000 }]))).toEqual(['not-well']);
  });

  test('two places on one file system are one finding, of whichever needs more', () => {
    const store = { ...roomy, path: '/nix/store', least: 2e9, free: 1e9 };
    expect(checkSpace([{ ...roomy, free: 1e9 }, store])).toMatchObject([
      { finding: { where: '/nix/store' } },
    ]);
    expect(
      isOf(
        checkSpace([
          { ...roomy, free: 1 },
          { ...store, device: 2 },
        ]),
      ),
    ).toEqual(['not-well', 'not-well']);
  });

  test('a place that cannot be asked is not taken for well', () => {
    expect(isOf(checkSpace([{ path: '/x', why: 'EIO' }]))).toEqual(['unknown']);
  });
});

describe('the clock', () => {
  const now = Date.UTC(2026, 10, 24);
  const facts: ClockFacts = { now, server: null, committed: null, isSynchronised: null };
  const server = (off: number) => ({ at: now, here: now + off, name: 'git.example.org' });

  test.each([
    [-61_000, '1 minute behind that of git.example.org'],
    [3 * 3_600_000, '3 hours ahead of that of git.example.org'],
    [-400 * 86_400_000, '400 days behind'],
  ])('%i ms beside the server’s is off', (off, words) => {
    const checks = checkClock({ ...facts, server: server(off), isSynchronised: true });
    expect(isOf(checks)).toEqual(['not-well']);
    expect(said(checks)).toContain(words);
  });

  test('a minute is not off: a Date has whole seconds, and answers take a while', () => {
    expect(isOf(checkClock({ ...facts, server: server(59_000) }))).toEqual(['well']);
    expect(isOf(checkClock({ ...facts, server: server(-60_000) }))).toEqual(['well']);
  });

  test('without a server’s clock, a day behind the newest revision is off', () => {
    const committed = now + 25 * 3_600_000;
    expect(isOf(checkClock({ ...facts, committed }))).toEqual(['not-well']);
    expect(isOf(checkClock({ ...facts, committed, isSynchronised: true }))).toEqual(['not-well']);
    // Not a day: nothing can be told, and that is said.
    expect(isOf(checkClock({ ...facts, committed: now + 3_600_000 }))).toEqual(['unknown']);
    expect(isOf(checkClock({ ...facts, committed: now - 365 * 86_400_000 }))).toEqual(['unknown']);
  });

  test('a time service counts where nothing better is there', () => {
    expect(isOf(checkClock({ ...facts, isSynchronised: true }))).toEqual(['well']);
    expect(isOf(checkClock({ ...facts, isSynchronised: false }))).toEqual(['not-well']);
    expect(isOf(checkClock(facts))).toEqual(['unknown']);
  });
});

describe('the unit', () => {
  const shown = (text: string) => checkUnits({ is: 'shown', properties: parseUnit(text) }, 'autark.service');
  const good =
    'LoadState=loaded\nUnitFileState=enabled\nActiveState=active\nSubState=running\nResult=success\n';

  test.each([
    ['installed, enabled, running', good, 'well', ''],
    [
      'not installed',
      'LoadState=not-found\nActiveState=inactive\nUnitFileState=\n',
      'not-well',
      'not installed',
    ],
    ['disabled', good.replace('enabled', 'disabled'), 'not-well', 'systemctl enable --now autark.service'],
    ['masked', good.replace('loaded', 'masked'), 'not-well', 'systemctl unmask autark.service'],
    [
      'failed',
      good.replace('active\n', 'failed\n').replace('success', 'exit-code'),
      'not-well',
      'failed (exit-code)',
    ],
    ['stopped', good.replace('ActiveState=active', 'ActiveState=inactive'), 'not-well', 'systemctl start'],
    ['starting', good.replace('ActiveState=active', 'ActiveState=activating'), 'well', ''],
    ['silent', '', 'not-well', 'not installed'],
  ])('%s', (_name, text, is, words) => {
    const checks = shown(text);
    expect(isOf(checks)).toEqual([is]);
    expect(said(checks)).toContain(words);
  });

  test('without systemd it says what nobody promises, and that mends nothing (code 0)', () => {
    expect(checkUnits({ is: 'no-systemd' }, 'autark.service')).toMatchObject([
      {
        is: 'advice',
        finding: { code: 0, cause: expect.stringContaining('nothing here starts the agent') as string },
      },
    ]);
    expect(isOf(checkUnits({ is: 'elsewhere' }, 'autark.service'))).toEqual(['well']);
    expect(isOf(checkUnits({ is: 'silent', why: 'no bus' }, 'autark.service'))).toEqual(['unknown']);
  });
});

describe('nix', () => {
  const nix = (version: string | null, isNeeded: boolean | null = true) =>
    isOf(checkNix({ isNeeded, version, problem: null }))[0];

  test.each([
    ['nix (Nix) 2.8.0', 'well'],
    ['nix (Nix) 2.7.99', 'not-well'],
    ['nix (Nix) 2.18.1', 'well'],
    ['nix (Nix) 1.11.16', 'not-well'],
    ['nix (Nix) 3.0pre20260101_abc', 'well'],
    ['nix (Lix, like Nix) 2.91.0', 'well'],
    ['nix (Determinate Nix 3.1.2) 2.26.3', 'well'],
    ['something else', 'unknown'],
  ])('%s is %s', (version, is) => {
    expect(nix(version)).toBe(is);
  });

  test('is missed only by a NixOS system', () => {
    expect(nix(null, true)).toBe('not-well');
    expect(nix(null, false)).toBe('well');
    expect(isOf(checkNix({ isNeeded: true, version: null, problem: 'it gave no answer in time' }))).toEqual([
      'unknown',
    ]);
  });
});

test.each([
  ['0123456789abcdef0123456789abcdef\n', 'well'],
  ['', 'not-well'],
  ['\n', 'not-well'],
  ['uninitialized\n', 'not-well'],
  [null, 'not-well'],
])('the machine id %j is %s', (text, is) => {
  expect(isOf(checkMachineId(text, '/etc/machine-id'))).toEqual([is]);
});
