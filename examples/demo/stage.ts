import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDisk, type Disk } from './disk.ts';
import { makeWorld, program, type World } from '../../test/rig/world.ts';

/** Where the demo plays: a world, its agents, and a voice. */
export interface Stage {
  readonly world: World;
  readonly isKept: boolean;
  /** What the story formats. */
  readonly disk: Disk;
  /** A paragraph for the reader. */
  readonly say: (text: string) => void;
  /** Shows a command as a person would type it. */
  readonly show: (command: string) => void;
  readonly print: (text: string) => void;
  /** Starts a machine's own agent; its log goes to a file beside the machine. */
  readonly startAgent: (host: string) => Promise<void>;
  readonly stopAgent: (host: string) => Promise<void>;
  readonly end: () => Promise<void>;
}

export async function makeStage(isKept: boolean): Promise<Stage> {
  const disk = await makeDisk();
  const world = await makeWorld('autark-demo', disk.searchPath).catch(async (error: unknown) => {
    await disk.end();
    throw error;
  });
  const agents = new Map<string, ChildProcess>();
  const print = (text: string): void => {
    process.stdout.write(`${text}\n`);
  };
  const bold = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  return {
    ...{ world, disk, isKept },
    print,
    say: (text) => {
      print(bold ? `\n\u001b[1m${text}\u001b[0m` : `\n${text}`);
    },
    show: (command) => {
      print(`$ ${command}`);
    },
    async startAgent(host) {
      await mkdir(world.root(host), { recursive: true });
      const log = await open(join(world.root(host), 'agent.log'), 'a');
      const agent = spawn(process.execPath, [program, 'agent', '--root', world.root(host)], {
        env: world.env,
        stdio: ['ignore', log.fd, log.fd],
      });
      await log.close();
      agents.set(host, agent);
    },
    async stopAgent(host) {
      const agent = agents.get(host);
      agents.delete(host);
      if (agent !== undefined) await stop(agent);
    },
    async end() {
      const all = [...agents.values()];
      agents.clear();
      await Promise.all(all.map(stop));
      await disk.end();
      if (!isKept) await world.remove();
    },
  };
}

async function stop(agent: ChildProcess): Promise<void> {
  if (agent.exitCode !== null || agent.signalCode !== null) return;
  agent.kill('SIGTERM');
  await once(agent, 'exit');
}
