import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { unitWatchdog } from '../../../../agent/adapters/watchdog/watchdog.ts';
import type { Watchdog } from '../../../../agent/unit-ports.ts';
import { patience } from '../../../rig/patience.ts';
import { scratch } from '../scratch.ts';

/** A systemd that answers as systemctl(1) does of a watchdog in this state, and notes that it was asked. */
let dir: string;
let watchdog: Watchdog;
const at = (file: string): string => join(dir, file);
const systemd = (state: string, job = 0): void => {
  const script = [
    `touch '${at('asked')}'`,
    `case $1 in`,
    `show) printf 'ActiveState=${state}\\nJob=${job}\\n\\nActiveState=inactive\\nJob=0\\n' ;;`,
    `is-active) printf '${state}\\ninactive\\n'; [ ${state} = active ] || exit 3 ;;`,
    `esac`,
  ];
  writeFileSync(at('bin/systemctl'), ['#!/bin/sh', ...script, ''].join('\n'));
  chmodSync(at('bin/systemctl'), 0o755);
};
const bounds = (signal = new AbortController().signal) => ({ timeout: 60_000, signal });
const isAsked = (): Promise<unknown> => vi.waitUntil(() => existsSync(at('asked')), patience);

beforeEach(() => {
  dir = scratch();
  mkdirSync(at('bin'));
  const env = { PATH: `${at('bin')}:${process.env['PATH'] ?? ''}` };
  watchdog = unitWatchdog({ folder: dir, script: '', profile: at('profile'), program: [], env });
  writeFileSync(at('fired'), '');
});

test.each(['fired', 'disarm', 'suspend'] as const)(
  '%s waits for a watchdog that is going back',
  async (verb) => {
    systemd('activating');
    const fired = watchdog[verb](bounds());
    await isAsked();
    writeFileSync(at('result'), '0\n');
    expect(await fired).toEqual({ ok: true, value: { how: 'back', code: 0, boot: '' } });
  },
);

test('one that systemd has yet to begin was not cut off', async () => {
  systemd('inactive', 7);
  const fired = watchdog.fired(bounds());
  await isAsked();
  writeFileSync(at('result'), '0\nthat boot\n');
  expect(await fired).toEqual({ ok: true, value: { how: 'back', code: 0, boot: 'that boot' } });
});

test('one that is no longer at work and left no result was cut off', async () => {
  systemd('inactive');
  expect(await watchdog.fired(bounds())).toEqual({ ok: true, value: { how: 'interrupted' } });
});

test('a watch that is suspended in this boot stays armed for the next one', async () => {
  systemd('inactive');
  rmSync(at('fired'));
  writeFileSync(at('armed'), '');
  expect(await watchdog.suspend(bounds())).toEqual({ ok: true, value: null });
  expect(existsSync(at('armed'))).toBe(true);
});

test('one that begins just then has the say', async () => {
  systemd('activating');
  renameSync(at('fired'), at('armed'));
  const fired = watchdog.suspend(bounds());
  await isAsked();
  renameSync(at('armed'), at('fired'));
  writeFileSync(at('result'), '0\n');
  expect(await fired).toEqual({ ok: true, value: { how: 'back', code: 0, boot: '' } });
});

test('an agent that is asked to stop while it waits decides nothing', async () => {
  systemd('activating');
  const stop = new AbortController();
  const fired = watchdog.fired(bounds(stop.signal));
  await isAsked();
  stop.abort();
  expect(await fired).toMatchObject({ ok: false, failure: { kind: 'locked' } });
});
