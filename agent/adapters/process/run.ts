import type { ChildProcess } from 'node:child_process';
import { execa } from 'execa';
import { oneLine } from '../../../shared/printable.ts';
import type { Bounds, Ending } from '../../ports.ts';
import type { Account } from './account.ts';
import { endGroup, groupStart, killGroup } from './group.ts';
import { watchOutput, type Output } from './output.ts';

/** A program to run as it is, without a shell. */
export interface Task {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment; `PATH` in it also finds the file. */
  readonly env: Readonly<Record<string, string>>;
  /** Standard input, which ends after it; written once `onStart` has resolved with true. */
  readonly input?: Uint8Array;
  /** Bytes of output, both streams together, after which the program is ended. */
  readonly outputCap: number;
  /** `keep`: standard output is given back whole and the tail is of standard error; `tail`: both go to the tail. */
  readonly stdout: 'keep' | 'tail';
  /** Takes standard error, which then leaves no tail. */
  readonly onStderr?: (chunk: Buffer) => void;
  readonly leftovers: 'end' | 'leave';
  /** Whose program it is, with no capability and no group of the agent's (credentials(7)); the agent's own if absent. */
  readonly as?: Account;
  /** Called with the process id; false ends the process without input. */
  readonly onStart?: (pid: number) => Promise<boolean>;
}

/** How long to be patient, in milliseconds. */
export interface Patience {
  /** From SIGTERM to SIGKILL. */
  readonly grace: number;
  /** From the program's exit until those who still hold its pipes are no longer listened to. */
  readonly drain: number;
}

export const usualPatience: Patience = { grace: 2000, drain: 200 };

export interface Finished {
  readonly ending: Ending;
  /** Empty with `stdout: 'tail'`. */
  readonly stdout: Uint8Array;
  readonly tail: string;
}

/**
 * Starts a program as leader of its own session and process group, with pipes. execa's own ways of ending it
 * are off: they reach the program alone, and ours must reach its children. It never rejects.
 */
export function launch(task: Pick<Task, 'file' | 'args' | 'cwd' | 'env' | 'as'>) {
  return execa(task.file, task.args, {
    cwd: task.cwd,
    env: { ...task.env },
    extendEnv: false,
    // libuv also gives up supplementary groups; leaving uid 0 gives up all capabilities (capabilities(7)).
    ...(task.as === undefined ? {} : { uid: task.as.uid, gid: task.as.gid }),
    detached: true,
    cleanup: false,
    forceKillAfterDelay: false,
    reject: false,
    buffer: false,
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  });
}

/**
 * Runs a program to its end, which comes at the latest when the bounds, or the cap on its output, say so. With
 * `leftovers: 'end'` nothing of its process group is left afterwards. Throws only what `onStart` throws.
 */
export async function runProcess(task: Task, bounds: Bounds, patience = usualPatience): Promise<Finished> {
  if (bounds.signal.aborted) return nothing({ how: 'aborted' });
  const launched = launch(task);
  const { pid } = launched;
  if (pid === undefined) {
    const { originalMessage, shortMessage } = await launched;
    return nothing({ how: 'unstartable', reason: oneLine(originalMessage ?? shortMessage ?? task.file) });
  }
  const output = watchOutput(launched, task);
  const limit = watchBounds(bounds, output.flooded);
  const exited = exitOf(launched);
  let ending: Ending | undefined;
  try {
    ending = await Promise.race([limit.reached, begin(launched, task, pid, exited)]);
    if (ending.how === 'exited' || ending.how === 'signalled') await settle(pid, task, output, patience);
  } finally {
    limit.stop();
    if (ending === undefined || !isNatural(ending)) {
      if (ending?.how === 'flooded') output.close();
      await endGroup(pid, patience.grace);
      await within(output.ended, patience.drain);
    }
    output.close();
  }
  return { ending, stdout: output.stdout(), tail: output.tail() };
}

function nothing(ending: Ending): Finished {
  return { ending, stdout: new Uint8Array(), tail: '' };
}

function isNatural(ending: Ending): boolean {
  return ending.how === 'exited' || ending.how === 'signalled';
}

async function begin(child: ChildProcess, task: Task, pid: number, exited: Promise<Ending>): Promise<Ending> {
  // A program that ends without reading its input is no error of ours.
  child.stdin?.on('error', () => undefined);
  if ((await task.onStart?.(pid)) === false) {
    return { how: 'unstartable', reason: 'its start could not be recorded' };
  }
  child.stdin?.end(task.input);
  return exited;
}

function exitOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(signal === null ? { how: 'exited', code: code ?? 1 } : { how: 'signalled', signal });
    });
  });
}

/** After the program's own exit: what it had started may still run, and may hold its pipes. */
async function settle(group: number, task: Task, output: Output, patience: Patience): Promise<void> {
  await within(output.ended, patience.drain);
  if (task.leftovers === 'leave' || groupStart(group) === null) return;
  await killGroup(group);
  await within(output.ended, patience.drain);
}

/** setTimeout counts CLOCK_MONOTONIC, which stands still while the machine sleeps. */
function watchBounds(bounds: Bounds, flooded: Promise<void>): { reached: Promise<Ending>; stop: () => void } {
  const done = new AbortController();
  const reached = new Promise<Ending>((resolve) => {
    const timer = setTimeout(resolve, Math.min(bounds.timeout, 2 ** 31 - 1), { how: 'timeout' });
    const abort = (): void => {
      resolve({ how: 'aborted' });
    };
    bounds.signal.addEventListener('abort', abort, { once: true, signal: done.signal });
    done.signal.addEventListener('abort', () => {
      clearTimeout(timer);
    });
    void flooded.then(() => {
      resolve({ how: 'flooded' });
    });
  });
  return {
    reached,
    stop: () => {
      done.abort();
    },
  };
}

async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    // After a busy moment timers come before what was written meanwhile: that is still read.
    timer = setTimeout(() => setImmediate(resolve), ms);
  });
  await Promise.race([promise, over]);
  clearTimeout(timer);
}
