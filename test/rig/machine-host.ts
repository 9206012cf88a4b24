import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Fleet, recordsOf, type StateCommit } from './fleet.ts';
import { type Machine, makeMachine, type MachineOptions } from './machine.ts';
import type { RanProgram } from './run.ts';
import { program } from './world.ts';

/** A booted machine that is a host of a fleet, with the agent at its root. */
export interface MachineHost extends Machine {
  /**
   * Runs `autark agent --once` as a service of the machine.
   * @param settings of that service, as for `run`
   */
  agent(settings?: readonly string[]): Promise<RanProgram>;
  /** The program with these arguments. */
  autark(args: readonly string[]): Promise<RanProgram>;
  /** Installs and starts the units, as `enroll` does. */
  install(): Promise<void>;
  records(): Promise<readonly StateCommit[]>;
}

/** Where a machine sees the fleet's repository, Node and the built program. */
const remote = '/srv/fleet.git';
const node = '/usr/local/bin/node';
const autark = '/opt/autark';

/** Boots a machine, enrols it, and approves it with these options of `approve`. Removed again when that fails. */
export async function joinMachine(
  fleet: Fleet,
  name: string,
  approval: readonly string[],
  { shows = {}, ...options }: MachineOptions = {},
): Promise<MachineHost> {
  const { world, introduction } = fleet;
  const repository = join(dirname(program), '../..');
  const machine = makeMachine({
    ...options,
    name,
    shows: {
      ...shows,
      [world.remote]: { to: remote, writable: true },
      [process.execPath]: { to: node },
      [join(repository, 'dist')]: { to: `${autark}/dist` },
      [realpathSync(join(repository, 'node_modules'))]: { to: `${autark}/node_modules` },
      [join(repository, 'systemd')]: { to: `${autark}/systemd` },
      [join(repository, 'package.json')]: { to: `${autark}/package.json` },
    },
  });
  const call = (args: readonly string[]): string[] => [node, `${autark}/dist/agent/main.js`, ...args];
  try {
    await machine.boot();
    const there = ['--remote', remote, '--host', name, '--introduction', introduction];
    const [fingerprint = ''] = (await machine.must(call(['enroll', '--no-service', ...there]))).split('\n');
    await world.git(['pull', '--quiet']);
    await world.mustAutark(['approve', name, '--fingerprint', fingerprint, ...approval, '--yes', '--push']);
  } catch (error) {
    await machine.remove();
    throw error;
  }
  return {
    ...machine,
    agent: (settings = []) => machine.run(call(['agent', '--once']), { settings }),
    autark: (args) => machine.run(call(args)),
    async install() {
      await machine.must(call(['enroll']));
    },
    records: () => recordsOf(fleet.server, name),
  };
}
