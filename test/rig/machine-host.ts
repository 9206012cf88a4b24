import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Fleet, recordsOf, type StateCommit } from './fleet.ts';
import { type Machine, makeMachine, type MachineOptions } from './machine.ts';
import { must, type RanProgram } from './run.ts';
import { program } from './world.ts';

/** A booted machine that is a host of a fleet, with the agent at its root. */
export interface MachineHost extends Machine {
  /**
   * Runs `autark agent --once` as a service of the machine.
   * @param settings of that service, as for `run`
   */
  agent(settings?: readonly string[]): Promise<RanProgram>;
  /** Runs any other verb there. */
  autark(args: readonly string[]): Promise<RanProgram>;
  /** Installs the units and starts the agent, as `enroll` does on a machine that has enrolled. */
  startDaemon(): Promise<void>;
  records(): Promise<readonly StateCommit[]>;
}

/** Where a machine sees the fleet's repository, Node and the built program. */
export const remote = '/srv/fleet.git';
export const node = '/usr/local/bin/node';
const autark = '/opt/autark';

/** Boots a machine, enrols it, and approves it with these options of `approve`. Removed again when that fails. */
export async function joinMachine(
  fleet: Fleet,
  name: string,
  approval: readonly string[],
  { shows = {}, ...options }: MachineOptions = {},
): Promise<MachineHost> {
  const seen = { ...shows, [fleet.world.remote]: { to: remote, writable: true } };
  const host = makeMachineHost(fleet, name, { ...options, shows: seen });
  try {
    await openToAll(fleet.world.remote);
    await host.boot();
    const there = ['--remote', remote, '--host', name, '--introduction', fleet.introduction];
    await approveMachine(fleet, name, await host.autark(['enroll', '--no-service', ...there]), approval);
  } catch (error) {
    await host.remove();
    throw error;
  }
  return host;
}

/** The host's git is not root's once its users are there, and this repository is a folder (git-config(1)). */
export async function openToAll(repository: string): Promise<void> {
  const env = { PATH: process.env['PATH'] ?? '' };
  await must('git', ['--git-dir', repository, 'config', 'core.sharedRepository', '0666'], { env });
  await must('chmod', ['-R', 'a+rwX', repository], { env });
}

/** A machine that has Node and the built program. It is neither booted nor enrolled. */
export function makeMachineHost(
  fleet: Fleet,
  name: string,
  { shows = {}, ...options }: MachineOptions = {},
): MachineHost {
  const repository = join(dirname(program), '../..');
  const machine = makeMachine({
    ...options,
    name,
    shows: {
      ...shows,
      [process.execPath]: { to: node },
      [join(repository, 'dist')]: { to: `${autark}/dist` },
      [realpathSync(join(repository, 'node_modules'))]: { to: `${autark}/node_modules` },
      [join(repository, 'systemd')]: { to: `${autark}/systemd` },
      [join(repository, 'package.json')]: { to: `${autark}/package.json` },
    },
  });
  const call = (args: readonly string[]): string[] => [node, `${autark}/dist/agent/main.js`, ...args];
  return {
    ...machine,
    agent: (settings = []) => machine.run(call(['agent', '--once']), { settings }),
    autark: (args) => machine.run(call(args)),
    async startDaemon() {
      await machine.must(call(['enroll']));
    },
    records: () => recordsOf(fleet.server, name),
  };
}

/** Approves a machine by what `enroll` said on it. */
export async function approveMachine(
  { world }: Fleet,
  name: string,
  { code, stdout, stderr }: RanProgram,
  approval: readonly string[],
): Promise<void> {
  if (code !== 0) throw new Error(`${name} did not enrol: exit ${String(code)}\n${stderr}${stdout}`);
  const [fingerprint = ''] = stdout.split('\n');
  await world.git(['pull', '--quiet']);
  await world.mustAutark(['approve', name, '--fingerprint', fingerprint, ...approval, '--yes', '--push']);
}
