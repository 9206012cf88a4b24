import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { armedText } from '../../../../agent/adapters/watchdog/armed.ts';
import { shippedFile } from '../../../../agent/adapters/shipped.ts';
import type { Watch } from '../../../../agent/unit-ports.ts';
import { scratch } from '../scratch.ts';

/** The script beside real files, with a systemd that only notes what it is asked. */
let dir: string;
let watch: Watch;
const state = (...parts: string[]): string => join(dir, 'state', ...parts);
const program = (path: string, ...script: readonly string[]): void => {
  writeFileSync(path, ['#!/bin/sh', ...script, ''].join('\n'));
  chmodSync(path, 0o755);
};
const asked = (): string => (existsSync(join(dir, 'asked')) ? readFileSync(join(dir, 'asked'), 'utf8') : '');
const read = (name: string): string => readFileSync(state('watchdog', name), 'utf8').split('\n')[0] ?? '';

beforeEach(() => {
  dir = scratch();
  for (const folder of ['bin', "old system's/bin", 'state/watchdog', 'profiles']) {
    mkdirSync(join(dir, folder), { recursive: true });
  }
  program(
    join(dir, 'bin/cat'),
    `case $1 in */boot_id) exec /bin/cat ${dir}/boot ;; *) exec /bin/cat "$@" ;; esac`,
  );
  writeFileSync(join(dir, 'boot'), 'first\n');
  for (const name of ['systemctl', 'systemd-run', 'nix-env']) {
    program(join(dir, 'bin', name), `echo "${name} $*" >>${dir}/asked`);
  }
  const system = join(dir, "old system's");
  program(
    join(system, 'bin/switch-to-configuration'),
    `env >${dir}/environment`,
    `echo "$1" >${dir}/activated`,
  );
  writeFileSync(state('watchdog/go-back'), shippedFile('autark-go-back'));
  symlinkSync('generations/5', state('current'));
  const env = { PATH: process.env['PATH'] ?? '', AUTARK_HOST: 'web1' };
  watch = {
    generation: 5,
    back: { kind: 'exec', path: system, number: 4, cwd: dir, env },
    ...{ mode: 'switch', deadline: 1500, timeout: 60_000 },
  };
});

const arm = (change: Partial<Watch> = {}, name = 'armed'): void => {
  const path = `${join(dir, 'bin')}:${process.env['PATH'] ?? ''}`;
  writeFileSync(
    state('watchdog', name),
    armedText({ ...watch, ...change }, { profile: join(dir, 'profiles/system'), path, boot: 'first' }),
  );
};
const run = (how: string): number | null =>
  spawnSync('/bin/sh', [state('watchdog/go-back'), how], {
    env: { PATH: `${join(dir, 'bin')}:${process.env['PATH'] ?? ''}`, LEAKED: 'no' },
  }).status;

/** The kernel has another boot id from now on. */
const restart = (boot: string): void => {
  writeFileSync(join(dir, 'boot'), `${boot}\n`);
};

test('goes back: current, activation, result, and the agent is started again', () => {
  arm();
  expect(run('deadline')).toBe(0);
  expect(readlinkSync(state('current'))).toBe('generations/4');
  expect(readFileSync(join(dir, 'activated'), 'utf8')).toBe('switch\n');
  expect(readFileSync(join(dir, 'environment'), 'utf8')).toMatch(/^AUTARK_HOST=web1$/m);
  expect(readFileSync(join(dir, 'environment'), 'utf8')).not.toMatch(/LEAKED/);
  expect(read('result')).toBe('0');
  expect(existsSync(state('watchdog/armed'))).toBe(false);
  expect(asked()).toMatch(/stop autark\.service autark-once\.service\n(.*\n)*.*start autark\.service/);
});

test('an agent that does not end when asked is killed, and one that cannot be is waited for no longer', () => {
  // timeout(1) ends with 124 when its time is over.
  program(
    join(dir, 'bin/timeout'),
    `echo "timeout $*" >>${dir}/asked`,
    'case $2 in systemctl) exit 124 ;; esac',
    'shift 2',
    'exec "$@"',
  );
  arm();
  expect(run('deadline')).toBe(0);
  expect(asked()).toMatch(
    /timeout \d+ systemctl stop autark\.service autark-once\.service\nsystemctl kill --signal=KILL autark\.service autark-once\.service\ntimeout \d+ systemctl stop autark\.service autark-once\.service\n/,
  );
  expect(read('result')).toBe('0');
});

test('the agent that the other generation brought is gone back from, and no other is touched', () => {
  mkdirSync(state('agent'));
  symlinkSync(`${'b'.repeat(64)}.mjs`, state('agent/current'));
  arm();
  run('deadline');
  expect(readlinkSync(state('agent/current'))).toBe(`${'b'.repeat(64)}.mjs`);
  arm({ back: { ...watch.back, agent: 'a'.repeat(64) } });
  for (const name of ['fired', 'result']) execFileSync('rm', [state('watchdog', name)]);
  run('deadline');
  expect(readlinkSync(state('agent/current'))).toBe(`${'a'.repeat(64)}.mjs`);
  // What is only tried has changed none.
  symlinkSync('c', state('agent/other'));
  execFileSync('mv', ['-T', state('agent/other'), state('agent/current')]);
  arm({ mode: 'test', back: { ...watch.back, agent: 'a'.repeat(64) } });
  run('deadline');
  expect(readlinkSync(state('agent/current'))).toBe('c');
});

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

test('nobody who was disarmed goes back', () => {
  expect(run('deadline')).toBe(0);
  expect(run('boot')).toBe(0);
  expect(readlinkSync(state('current'))).toBe('generations/5');
  expect(asked()).toBe('');
});

test('an activation that fails is said so', () => {
  program(join(watch.back.path, 'bin/switch-to-configuration'), 'exit 7');
  arm();
  run('deadline');
  expect(read('result')).toBe('7');
});

test('one that hangs is ended in time', () => {
  program(join(watch.back.path, 'bin/switch-to-configuration'), 'exec sleep 1000');
  arm({ timeout: 1000 });
  run('deadline');
  // timeout(1): 124 when the command timed out.
  expect(read('result')).toBe('124');
});

test('what was only tested leaves current alone', () => {
  arm({ mode: 'test' });
  run('deadline');
  expect(readlinkSync(state('current'))).toBe('generations/5');
  expect(readFileSync(join(dir, 'activated'), 'utf8')).toBe('test\n');
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

test('nixos: a system that the profile has needs no Nix', () => {
  for (const [number, target] of [
    [1, watch.back.path],
    [2, '/nowhere'],
  ] as const)
    symlinkSync(target, join(dir, `profiles/system-${number}-link`));
  symlinkSync('system-2-link', join(dir, 'profiles/system'));
  arm({ back: { ...watch.back, kind: 'nixos' } });
  run('deadline');
  expect(readlinkSync(join(dir, 'profiles/system'))).toBe('system-1-link');
  expect(asked()).not.toMatch(/nix-env/);
  expect(read('result')).toBe('0');
});

test('nixos: before the first generation there is no current; the profile is set by Nix', () => {
  arm({ back: { ...watch.back, kind: 'nixos', number: null } });
  run('deadline');
  expect(existsSync(state('current'))).toBe(false);
  expect(asked()).toContain(`nix-env --profile ${dir}/profiles/system --set ${watch.back.path}`);
});

test('nixos: a profile that cannot be set is a failure, and nothing is activated', () => {
  program(join(dir, 'bin/nix-env'), 'exit 1');
  arm({ back: { ...watch.back, kind: 'nixos' } });
  run('deadline');
  expect(read('result')).toBe('1');
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
