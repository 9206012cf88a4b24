import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { ok } from '../../../shared/failure.ts';
import { oneLine } from '../../../shared/printable.ts';
import type { Bounds, Ending, Programs } from '../../ports.ts';

/** What a program said. */
export interface Answer {
  /** `null` when it did not end by itself. */
  readonly code: number | null;
  readonly stdout: string;
  /** How it ended and what it complained of, to follow its name. */
  readonly how: string;
}

/** Programs that look at disks, each with a bounded time and output, and none of them in another language. */
export interface Asker {
  readonly has: (program: string) => Promise<boolean>;
  readonly ask: (program: string, args: readonly string[]) => Promise<Answer>;
}

/** Milliseconds: disks that sleep have to spin up first. */
const patience = 30_000;

/** Bytes that one of them may print; what is larger they write to files. */
const outputCap = 4 * 2 ** 20;

/** Characters of a complaint that are passed on. */
const longest = 300;

/**
 * No program gets more than half of the time that is left, so that one that hangs leaves some to all that come after it.
 */
export function openAsker(programs: Programs, searchPath: string, bounds: Bounds): Asker {
  const end = performance.now() + bounds.timeout;
  // UTC, for lvm writes times as comments; and its warning about files that were left open is about the agent's.
  const env = { PATH: searchPath, LC_ALL: 'C', TZ: 'UTC', LVM_SUPPRESS_FD_WARNINGS: '1' };
  return {
    has: (program) => isInOneOf(searchPath.split(delimiter), program),
    async ask(file, args) {
      let complaint = '';
      const onLine = (line: string): void => {
        complaint = oneLine(line).slice(0, longest) || complaint;
      };
      const onStart = () => Promise.resolve(ok(undefined));
      const order = { file, args, cwd: '/', env, outputCap, leftovers: 'end', onStart, onLine } as const;
      const timeout = Math.max(1, Math.min(patience, (end - performance.now()) / 2));
      const { ending, stdout = '' } = await programs.run(order, { timeout, signal: bounds.signal });
      return {
        code: ending.how === 'exited' ? ending.code : null,
        stdout,
        how: `${endingOf(ending, timeout)}${complaint === '' ? '' : `: ${complaint}`}`,
      };
    },
  };
}

async function isInOneOf(folders: readonly string[], program: string): Promise<boolean> {
  for (const folder of folders) {
    const isThere = access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (await isThere) return true;
  }
  return false;
}

function endingOf(ending: Ending, timeout: number): string {
  switch (ending.how) {
    case 'exited':
      return `exited with code ${ending.code}`;
    case 'signalled':
      return `was ended by ${ending.signal}`;
    case 'timeout':
      return `took longer than ${Math.ceil(timeout / 1000)} s`;
    case 'flooded':
      return 'wrote more output than it may';
    case 'aborted':
      return 'was stopped';
    case 'unstartable':
      return `could not be started: ${ending.reason}`;
  }
}
