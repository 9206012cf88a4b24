import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { agent, arm, asked, dir, program, read, run, state, watch, setUp } from './scene.ts';

beforeEach(setUp);

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

test('the secrets of what is gone back to are brought back before it is activated, whatever that comes to', () => {
  program(agent(), `echo "$* $(readlink ${state('current')})" >>${dir}/secrets`, 'exit 62');
  program(join(watch.back.path, 'bin/switch-to-configuration'), `cp ${dir}/secrets ${dir}/activated`);
  mkdirSync(state('secrets'));
  arm();
  expect(run('deadline')).toBe(0);
  expect(readFileSync(join(dir, 'activated'), 'utf8')).toBe('secrets install generations/4\n');
  expect(read('result')).toBe('0');
});

test('a machine without secrets calls no agent for them', () => {
  program(agent(), `touch ${dir}/called`);
  arm();
  run('deadline');
  expect(read('result')).toBe('0');
  expect(existsSync(join(dir, 'called'))).toBe(false);
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
