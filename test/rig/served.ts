import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { patience } from './patience.ts';

/** A server program that runs until it is stopped, or until the test process ends. */
export interface Served {
  readonly pid: number;
  /** What it wrote so far, both streams together. */
  output(): string;
  /** Ends it, and waits until it is gone. */
  stop(): Promise<void>;
}

export interface Service {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Resolves once it answers: rejects while it does not. */
  readonly isUp: () => Promise<void>;
}

/** Starts a server in the foreground, as leader of a group of its own, and waits until it answers. */
export async function serveProgram({ file, args, env = {}, isUp }: Service): Promise<Served> {
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk));
  const output = (): string => Buffer.concat(said).toString();
  let problem: Error | undefined;
  child.once('error', (error) => (problem = error));
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
    child.once('error', () => {
      resolve();
    });
  });
  const end = (): void => {
    endTreeOf(child);
  };
  process.once('exit', end);
  const stop = async (): Promise<void> => {
    process.off('exit', end);
    end();
    await gone;
  };
  const deadline = Date.now() + patience.timeout;
  for (;;) {
    try {
      await isUp();
      // Whoever answers may be another test's, which got the port first.
      await pause(10);
      if (problem !== undefined || child.exitCode !== null) throw new Error('somebody else answers');
      return { pid: child.pid ?? 0, output, stop };
    } catch (error) {
      const isOver = problem !== undefined || child.exitCode !== null || Date.now() > deadline;
      if (!isOver) {
        await pause(10);
        continue;
      }
      await stop();
      throw new Error(`${file} does not serve: ${problem?.message ?? output()}`, { cause: error });
    }
  }
}

/** The server and all that it started: sshd gives each connection a session of its own. */
function endTreeOf({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  for (const each of [pid, ...descendants(pid)]) {
    try {
      process.kill(each, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}

/** By the parent's number, field 4 of proc_pid_stat(5). */
function descendants(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), parentOf(name)] as const);
  const below = (of: number): number[] =>
    parents.filter(([, parent]) => parent === of).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

function parentOf(pid: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0;
  }
}

/** A port of the loopback interface that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOn(server);
  server.close();
  await once(server, 'close');
  return port;
}

/** Listens on the loopback interface only; the port, chosen by the system if none is given. */
export async function listenOn(server: Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Resolves once something accepts connections there. */
export async function accepts(where: { readonly port: number } | { readonly path: string }): Promise<void> {
  const socket = connect('port' in where ? { ...where, host: '127.0.0.1' } : where);
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
