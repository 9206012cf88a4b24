import { cpSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Lab, LabHost } from './lab.ts';
import { copySources } from './nix-module.ts';
import { type NpmRegistry, startNpmRegistry } from './npm-registry.ts';
import { must } from './run.ts';

/**
 * A booted machine that stands in for NixOS: Debian with Nix, which activates systems as NixOS does
 * (`test/fixtures/nixos/booted`), also when it boots. It has no agent, and fetches from addresses as users do.
 */
export interface StandIn {
  readonly machine: LabHost;
  /** The folders of nixpkgs and autark here. */
  readonly nixpkgs: string;
  readonly autark: string;
  /** A registry of npm that it reaches. */
  readonly registry: string;
  /** Where it has a folder of here that is beside them. */
  readonly there: (path: string) => string;
  /** Runs a script there as root would at a prompt. */
  sh(script: string): Promise<string>;
  remove(): Promise<void>;
}

const standIn = join(import.meta.dirname, '../fixtures/nixos');
/** nix.conf(5): builders are programs of the machine, and nothing is fetched that has been built elsewhere. */
const nixConf = ['sandbox = false', 'build-users-group =', 'substituters =', ''].join('\n');
const profile = '/nix/var/nix/profiles/system';

export async function makeStandIn(lab: Lab, name: string): Promise<StandIn> {
  const dir = join(lab.fleet.world.dir, 'srv');
  const [nixpkgs, autark, served] = [join(dir, 'nixpkgs'), join(dir, 'autark'), join(dir, 'autark.git')];
  mkdirSync(dir);
  cpSync(join(standIn, 'booted'), nixpkgs, { recursive: true });
  cpSync(join(standIn, 'nixpkgs'), join(nixpkgs, 'nixpkgs'), { recursive: true });
  copySources(autark);
  await publish(autark, served);
  const npm = await must('npm', ['root', '--global'], { env: { PATH: process.env['PATH'] ?? '' } });
  const registry: NpmRegistry = await startNpmRegistry(lab.fleet.world.dir, lab.network);
  const machine = lab.plugIn(name, {
    shows: {
      [dir]: { to: '/srv' },
      [realpathSync(join(npm, 'npm'))]: { to: '/usr/lib/node_modules/npm' },
    },
  });
  const there = (path: string): string => path.replace(dir, '/srv');
  const path = '/root/.nix-profile/bin:/run/current-system/sw/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const settings = ['HOME=/root', `PATH=${path}`, `npm_config_registry=${registry.url}`];
  const sh: StandIn['sh'] = (script) =>
    machine.must(['sh', '-euc', script], { settings: settings.map((each) => `--setenv=${each}`) });
  const remove = (): Promise<void> => registry.stop();
  try {
    await machine.boot();
    await machine.must(['ln', '-s', '/usr/lib/node_modules/npm/bin/npm-cli.js', '/usr/local/bin/npm']);
    await machine.put('/etc/NIXOS', '');
    await machine.put('/etc/nix/nix.conf', nixConf);
    await machine.put(
      '/etc/gitconfig',
      `[url "file://${there(served)}"]\n  insteadOf = https://git.example.org/autark.git\n`,
    );
    await machine.put('/etc/systemd/system/stage-2.service', stage2);
    await machine.must(['systemctl', 'enable', '--quiet', 'stage-2.service']);
  } catch (error) {
    await remove();
    throw error;
  }
  return { machine, nixpkgs, autark, registry: registry.url, there, sh, remove };
}

/** What NixOS does before systemd begins. */
const stage2 = [
  '[Unit]',
  'DefaultDependencies=no',
  'After=systemd-remount-fs.service',
  'Before=sysinit.target',
  `ConditionPathExists=${profile}`,
  // At a boot, and never again in it.
  'ConditionPathExists=!/run/current-system',
  '[Service]',
  'Type=oneshot',
  `ExecStart=/bin/sh -c 'ln -sfn $(readlink -f ${profile}) /run/booted-system; exec ${profile}/activate'`,
  '[Install]',
  'WantedBy=sysinit.target',
  '',
].join('\n');

async function publish(folder: string, to: string): Promise<void> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: dirname(folder) };
  const work = `${to}.work`;
  cpSync(folder, work, { recursive: true });
  const git = (...args: string[]): Promise<string> =>
    must('git', ['-c', 'user.name=Alice', '-c', 'user.email=alice@example.org', ...args], { cwd: work, env });
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '--force', '.');
  await git('commit', '--quiet', '--message=autark');
  await git('clone', '--quiet', '--bare', work, to);
}
