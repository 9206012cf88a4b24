import { oneLine } from '../../../shared/printable.ts';
import type { Bounds } from '../../ports.ts';
import type { Account } from '../process/account.ts';
import { runProcess, type Finished, type Task } from '../process/run.ts';

/** Bytes of messages and results of one git; a server may send what it likes. */
const outputCap = 1024 * 1024;

/**
 * What one git and its helpers may take (getrlimit(2)), whatever a server sends: memory and the size of a file in
 * bytes, open files, seconds of processor time. Waiting is bounded by who calls, and does not count here.
 */
const limits = { memory: 4 * 2 ** 30, file: 8 * 2 ** 30, openFiles: 1024, seconds: 3600 } as const;

/**
 * Lowers the limits, then becomes the program. A limit that is lower already stays. `ulimit` counts memory in KiB and
 * files in blocks of 512 bytes (POSIX.1, ulimit). The shell exports variables of its own, which are taken back.
 */
const bounding = [
  ...[
    `-v ${limits.memory / 1024}`,
    `-f ${limits.file / 512}`,
    `-n ${limits.openFiles}`,
    `-t ${limits.seconds}`,
  ].map((limit) => `ulimit ${limit} 2>/dev/null || :`),
  'unset _ PWD OLDPWD SHLVL',
  'exec "$0" "$@"',
].join('; ');

/** Where and as whom gits run. */
export interface GitPost {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** Within limits, on a host; a person's own git, in a clone, has theirs. */
  readonly isBounded?: boolean;
  /** The user of git (S7); the agent's own if absent. */
  readonly account?: Account;
}

/** Runs one git in one Git directory. `git` is the `git` of the environment's PATH. */
export type GitCommand = (args: readonly string[], bounds: Bounds, input?: Uint8Array) => Promise<Finished>;

export function gitCommand(post: GitPost): GitCommand {
  return async (args, bounds, input) => {
    const task = { ...gitTask(post, args), outputCap, stdout: 'keep', leftovers: 'end' } as const;
    return explainStart(await runProcess(input === undefined ? task : { ...task, input }, bounds));
  };
}

/** One git as a process: within its limits, as its user. */
export function gitTask(
  { directory, env, account, isBounded }: GitPost,
  args: readonly string[],
): Pick<Task, 'file' | 'args' | 'cwd' | 'env' | 'as'> {
  const call =
    isBounded === true ? { file: '/bin/sh', args: ['-c', bounding, 'git', ...args] } : { file: 'git', args };
  return { ...call, cwd: directory, env, ...(account === undefined ? {} : { as: account }) };
}

export function succeeded(ran: Finished): boolean {
  return ran.ending.how === 'exited' && ran.ending.code === 0;
}

/** The shell's own exit codes when there is nothing to become (POSIX.1, 2.8.2). */
function explainStart(ran: Finished): Finished {
  const code = ran.ending.how === 'exited' ? ran.ending.code : 0;
  if (code !== 126 && code !== 127) return ran;
  const reason = oneLine(ran.tail.replace(/^git: (\d+: |line \d+: )?exec: /, '').trim());
  return { ...ran, ending: { how: 'unstartable', reason } };
}
