import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { arm, asked, dir, program, read, restart, run, state, watch, setUp } from './scene.ts';

beforeEach(setUp);

test('what a power cut left of a going back is in nobody’s way', () => {
  for (const folder of ['agent', 'generations/4']) mkdirSync(state(folder), { recursive: true });
  symlinkSync('generations/4', state('current.autark-back'));
  symlinkSync('nowhere', state('agent/current.autark-back'));
  arm({ back: { ...watch.back, agent: 'a'.repeat(64) } }, 'fired');
  run('boot');
  expect(read('result')).toBe('0');
  expect(readlinkSync(state('current'))).toBe('generations/4');
  expect(readlinkSync(state('agent/current'))).toBe(`${'a'.repeat(64)}.mjs`);
  expect(readdirSync(state('generations/4')), 'nothing is put into what it led to').toEqual([]);
});

test('two boots are watched on, at the third one it goes back', () => {
  arm();
  run('boot');
  expect(asked(), 'the boot in which the watch began').toBe('');
  for (const boot of [1, 2]) {
    restart(`${boot}`);
    run('boot');
    run('boot');
    expect(existsSync(join(dir, 'activated')), `boot ${boot}`).toBe(false);
    expect(asked().match(/systemd-run .*--on-active=2 /g), `boot ${boot}`).toHaveLength(boot);
  }
  restart('3');
  run('boot');
  expect(read('result')).toBe('0');
});

test('without a timer there is no watching on', () => {
  program(join(dir, 'bin/systemd-run'), 'exit 1');
  arm();
  restart('2');
  run('boot');
  expect(read('result')).toBe('0');
});

test('a going back that was cut off is done once more at boot, and one that has ended is not', () => {
  arm({}, 'fired');
  run('boot');
  expect(read('result')).toBe('0');
  execFileSync('rm', [join(dir, 'activated')]);
  run('boot');
  expect(existsSync(join(dir, 'activated'))).toBe(false);
});

describe('a generation that the machine has booted into', () => {
  beforeEach(() => {
    arm({ mode: 'boot' });
    restart('second');
  });

  test('is gone back from by one more boot, once the result is written', () => {
    program(
      join(dir, 'bin/systemctl'),
      `case "$*" in *reboot) cp ${state('watchdog/result')} ${dir}/at-reboot ;; esac`,
      `echo "systemctl $*" >>${dir}/asked`,
    );
    run('deadline');
    expect(readFileSync(join(dir, 'activated'), 'utf8')).toBe('boot\n');
    expect(readFileSync(join(dir, 'at-reboot'), 'utf8')).toBe('0\nsecond\n');
    expect(asked()).toMatch(/--no-block reboot\n$/);
    restart('third');
    run('boot');
    expect(asked().match(/reboot/g), 'the boot after that').toHaveLength(1);
  });

  test('is so by the agent’s word as well', () => {
    expect(run('fired')).toBe(0);
    expect(existsSync(join(dir, 'activated')), 'nobody has the say yet').toBe(false);
    renameSync(state('watchdog/armed'), state('watchdog/fired'));
    run('fired');
    expect(asked()).toMatch(/--no-block reboot\n$/);
    execFileSync('rm', [join(dir, 'activated')]);
    run('fired');
    expect(existsSync(join(dir, 'activated')), 'once').toBe(false);
  });

  test.each([
    ['the boot default could not be changed', 'exit 1', 'exit 0'],
    ['the result cannot be written', 'exit 0', 'case $1 in result*) exit 1 ;; esac'],
  ])('is not rebooted from when %s: the next boot would be the same', (_when, activation, sync) => {
    program(join(watch.back.path, 'bin/switch-to-configuration'), activation);
    program(join(dir, 'bin/sync'), sync);
    run('deadline');
    expect(asked()).not.toMatch(/reboot/);
    expect(asked()).toMatch(/start autark\.service/);
  });
});

test('before that boot, going back needs none', () => {
  arm({ mode: 'boot' });
  run('deadline');
  expect(read('result')).toBe('0');
  expect(asked()).not.toMatch(/reboot/);
});

test('a going back that is at work is left alone', () => {
  program(join(dir, 'bin/systemctl'), 'test "$1" != show || echo activating');
  arm({}, 'fired');
  run('boot');
  expect(existsSync(join(dir, 'activated'))).toBe(false);
});
