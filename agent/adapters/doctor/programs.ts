import { runProcess, type Finished } from '../process/run.ts';

/** Milliseconds that a small program of this machine may take to say how it is. */
export const patience = 5000;

/** Runs a program that only shows something. Never rejects; a silent one is ended. */
export function ask(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Finished> {
  const task = { file, args, cwd: '/', env, outputCap: 2 ** 20, stdout: 'keep', leftovers: 'end' } as const;
  return runProcess(task, { timeout: patience, signal });
}

/** What it printed, if it ended well. */
export function printed({ ending, stdout }: Finished): string | null {
  return ending.how === 'exited' && ending.code === 0 ? Buffer.from(stdout).toString('utf8') : null;
}
