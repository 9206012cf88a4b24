import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { makeWorld, program, type World } from '../test/rig/world.ts';
import { execHost } from '../test/rig/exec-system.ts';

/**
 * A fleet whose hosts are enrolled, approved and have a system to build.
 * @param system options of `approve` about it; without them each host has a small exec system
 */
export async function makeScene(hosts: readonly string[], system?: readonly string[]): Promise<World> {
  const world = await makeWorld('autark-bench');
  const introduction = await world.mustAutark(['init', '--key', world.adminKey, '--push']);
  for (const host of hosts) {
    const given = ['--remote', world.remote, '--host', host, '--introduction', introduction];
    const told = await world.mustAutark(['enroll', '--root', world.root(host), ...given]);
    const fingerprint = told.split('\n')[0] ?? '';
    const what = system ?? ['--system', 'exec', '--build', `hosts/${host}/build`];
    const approval = ['--fingerprint', fingerprint, ...what];
    await world.mustAutark(['approve', host, ...approval, '--yes', '--push']);
  }
  if (system !== undefined) return world;
  const files = hosts.map((host) => execHost(host, `Welcome to ${host}`));
  await world.commit(Object.assign({}, ...files) as ReturnType<typeof execHost>, 'Greet');
  return world;
}

/** A running agent whose log lines can be waited for. */
export interface Agent {
  readonly process: ChildProcess;
  /** Resolves with the next log line that has this event. */
  next(event: string): Promise<string>;
  stop(): Promise<void>;
}

export function startAgent(world: World, host: string, env: Readonly<Record<string, string>> = {}): Agent {
  const child = spawn(process.execPath, [program, 'agent', '--root', world.root(host)], {
    env: { ...world.env, ...env, AUTARK_DEBUG: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const waiting: { event: string; resolve: (line: string) => void }[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    const event = line.split(' ')[2];
    for (const waiter of waiting.filter((each) => each.event === event)) {
      waiting.splice(waiting.indexOf(waiter), 1);
      waiter.resolve(line);
    }
  });
  return {
    process: child,
    next: (event) => new Promise((resolve) => waiting.push({ event, resolve })),
    async stop() {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}
