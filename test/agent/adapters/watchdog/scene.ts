import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { armedText } from '../../../../agent/adapters/watchdog/armed.ts';
import { shippedFile } from '../../../../agent/adapters/shipped.ts';
import type { Watch } from '../../../../agent/unit-ports.ts';
import { scratch } from '../scratch.ts';

/** The script beside real files, with a systemd that only notes what it is asked. Made anew by `setUp`. */
export let dir: string;
export let watch: Watch;
export const state = (...parts: string[]): string => join(dir, 'state', ...parts);
export const program = (path: string, ...script: readonly string[]): void => {
  writeFileSync(path, ['#!/bin/sh', ...script, ''].join('\n'));
  chmodSync(path, 0o755);
};
export const asked = (): string =>
  existsSync(join(dir, 'asked')) ? readFileSync(join(dir, 'asked'), 'utf8') : '';
export const read = (name: string): string =>
  readFileSync(state('watchdog', name), 'utf8').split('\n')[0] ?? '';

export function setUp(): void {
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
}

/** The agent, as a program; a place with what a shell could take for its own. */
export const agent = (): string => join(dir, "the agent's $HOME");
export const arm = (change: Partial<Watch> = {}, name = 'armed'): void => {
  const path = `${join(dir, 'bin')}:${process.env['PATH'] ?? ''}`;
  writeFileSync(
    state('watchdog', name),
    armedText(
      { ...watch, ...change },
      { profile: join(dir, 'profiles/system'), path, boot: 'first', program: [agent()] },
    ),
  );
};
export const run = (how: string): number | null =>
  spawnSync('/bin/sh', [state('watchdog/go-back'), how], {
    env: { PATH: `${join(dir, 'bin')}:${process.env['PATH'] ?? ''}`, LEAKED: 'no' },
  }).status;

/** The kernel has another boot id from now on. */
export const restart = (boot: string): void => {
  writeFileSync(join(dir, 'boot'), `${boot}\n`);
};
