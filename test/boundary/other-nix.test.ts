import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { scratch } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';
import { otherNix } from '../rig/other-nix.ts';
import { patience } from '../rig/patience.ts';
import { allGone, endAll } from '../rig/processes.ts';
import { must } from '../rig/run.ts';
import { type Suite, treeOf } from '../rig/rootfs.ts';

/** An environment in which that Nix has a store and settings of its own below the folder. */
function environment(folder: string, suite: Suite): Record<string, string> {
  const own = (name: string): string => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  const settings = ['experimental-features = nix-command flakes', 'substituters =', 'sandbox = false'];
  const env = {
    PATH: `${otherNix(suite, join(folder, 'bin'))}:/usr/bin:/bin`,
    HOME: own('home'),
    NIX_STORE_DIR: own('store'),
    NIX_STATE_DIR: own('var'),
    NIX_LOG_DIR: own('log'),
    NIX_CONF_DIR: own('etc'),
  };
  writeFileSync(join(env.NIX_CONF_DIR, 'nix.conf'), [...settings, 'build-users-group =', ''].join('\n'));
  return env;
}

const building = (script: string): string[] => {
  const made = `derivation { name = "made"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" ''${script}'' ]; }`;
  return ['build', '--impure', '--no-link', '--print-out-paths', '--expr', made];
};

const suites: readonly (readonly [Suite, number])[] = [
  ['trixie', 26],
  ['sid', 34],
];
for (const [suite, minor] of suites) {
  describeWith(['root', suite], `the Nix of ${suite}`, () => {
    test('says its version by each of its programs', async () => {
      const env = environment(scratch(), suite);
      for (const program of ['nix', 'nix-store', 'nix-env', 'nix-daemon', 'nix-collect-garbage']) {
        const said = /^\S+ \(Nix\) 2\.(\d+)\./.exec(await must(program, ['--version'], { env }));
        expect(Number(said?.[1]), program).toBeGreaterThanOrEqual(minor);
      }
    });

    test('builds into a store of this machine, which sees nothing of it but the result', async () => {
      const env = environment(scratch(), suite);
      const path = await must('nix', building('echo whole >$out'), { env });
      expect(path).toMatch(new RegExp(`^${env['NIX_STORE_DIR'] ?? ''}/[a-z0-9]{32}-made$`));
      expect(readFileSync(path, 'utf8')).toBe('whole\n');
      expect(await must('nix-store', ['--query', '--hash', path], { env })).toMatch(/^sha256:/);
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(treeOf(suite));
    });

    test('is the process that was started, and ends when its group is told to', async () => {
      const folder = scratch();
      onTestFinished(() => {
        endAll(folder);
      });
      const began = join(folder, 'began');
      const env = environment(folder, suite);
      const child = spawn('nix', building(`echo $$ >${began}; while :; do :; done`), {
        env,
        detached: true,
        stdio: 'ignore',
      });
      const ended = new Promise((resolve) => child.on('close', resolve));
      await vi.waitFor(() => {
        expect(existsSync(began)).toBe(true);
      }, patience);
      const pid = child.pid ?? 0;
      expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toMatch(/^nix/);
      process.kill(-pid, 'SIGTERM');
      expect(await ended).not.toBe(0);
      await allGone(folder);
    });
  });
}
