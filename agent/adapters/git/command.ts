import type { Bounds } from '../../ports.ts';
import { runProcess, type Finished } from '../process/run.ts';

/** Bytes of messages and results of one git; a server may send what it likes. */
const outputCap = 1024 * 1024;

/** Runs one git in one Git directory. `git` is the `git` of the environment's PATH. */
export type GitCommand = (args: readonly string[], bounds: Bounds, input?: Uint8Array) => Promise<Finished>;

export function gitCommand(directory: string, env: Readonly<Record<string, string>>): GitCommand {
  return (args, bounds, input) =>
    runProcess(
      {
        file: 'git',
        args,
        cwd: directory,
        env,
        outputCap,
        stdout: 'keep',
        leftovers: 'end',
        ...(input === undefined ? {} : { input }),
      },
      bounds,
    );
}

export function succeeded(ran: Finished): boolean {
  return ran.ending.how === 'exited' && ran.ending.code === 0;
}
