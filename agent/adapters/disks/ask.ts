import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { ok } from '../../../shared/failure.ts';
import { oneLine } from '../../../shared/printable.ts';
import type { Bounds, Programs } from '../../ports.ts';
import { endingText } from '../process/ending.ts';

/** What a program said. */
export interface Answer {
  /** `null` when it did not end by itself. */
  readonly code: number | null;
  readonly stdout: string;
  /** What it complained of, in one line; empty when it did not. */
  readonly complaint: string;
  /** How it ended and what it complained of, to follow its name. */
  readonly how: string;
  /** Whether there is no such program here. */
  readonly isAbsent: boolean;
}

export type Ask = (program: string, args: readonly string[]) => Promise<Answer>;

/** Programs that look at disks, each with a bounded time and output, and none of them in another language. */
export interface Asker {
  readonly has: (program: string) => Promise<boolean>;
  readonly ask: Ask;
}

/** Milliseconds: disks that sleep have to spin up first. */
const patience = 30_000;

/** Bytes that one of them may print, thousands of devices; what is larger they write to files. */
const outputCap = 4 * 2 ** 20;

/** Characters of a complaint that are passed on. */
const longest = 300;

/**
 * No program gets more than half of the time that is left, so that one that hangs leaves some to all that come after it.
 * @param bounds all programs together end within these
 */
export function openAsker(programs: Programs, searchPath: string, bounds: Bounds): Asker {
  const end = performance.now() + bounds.timeout;
  // UTC, for lvm writes times as comments; and its warning about files that were left open is about the agent's.
  const env = { PATH: searchPath, LC_ALL: 'C', TZ: 'UTC', LVM_SUPPRESS_FD_WARNINGS: '1' };
  return {
    has: (program) => isInOneOf(searchPath.split(delimiter), program),
    async ask(file, args) {
      let said = '';
      const onLine = (line: string): void => {
        if (said.length < longest) said += ` ${line}`;
      };
      const onStart = () => Promise.resolve(ok(undefined));
      const order = { file, args, cwd: '/', env, outputCap, leftovers: 'end', onStart, onLine } as const;
      const left = end - performance.now();
      if (left <= 0) return notAsked;
      const timeout = Math.min(patience, left / 2);
      const { ending, stdout = '' } = await programs.run(order, { timeout, signal: bounds.signal });
      const complaint = oneLine(said).trim().slice(0, longest);
      return {
        code: ending.how === 'exited' ? ending.code : null,
        ...{ stdout, complaint, isAbsent: ending.how === 'unstartable' },
        how: `${endingText(ending, timeout)}${complaint === '' ? '' : `: ${complaint}`}`,
      };
    },
  };
}

const notAsked: Answer = {
  ...{ code: null, stdout: '', complaint: '', isAbsent: false },
  how: 'was not asked: there was no time left',
};

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
