import { ok } from '../../../shared/failure.ts';
import { oneLine } from '../../../shared/printable.ts';
import type { Bounds, Ending, Programs } from '../../ports.ts';

/** What a program that looks at disks answered. */
export type Answer =
  | { readonly how: 'exited'; readonly code: number; readonly stdout: string; readonly said: string }
  | { readonly how: 'absent' | 'failed'; readonly why: string };

/** Runs one such program: everything of the kind is asked through this. */
export type Ask = (file: string, args: readonly string[]) => Promise<Answer>;

/** Bytes that a program may print: thousands of devices. */
const outputCap = 4 * 2 ** 20;

/** Milliseconds that one program may take: a disk that does not answer must not keep the others from being looked at. */
const patience = 20_000;

/**
 * @param bounds all programs together end within these
 */
export function asker(programs: Programs, searchPath: string, bounds: Bounds): Ask {
  const end = performance.now() + bounds.timeout;
  // lvm(8) complains about what it inherits, also where that is only what a test runner has open.
  const env = { PATH: searchPath, LC_ALL: 'C', LVM_SUPPRESS_FD_WARNINGS: '1' };
  return async (file, args) => {
    const timeout = Math.min(patience, end - performance.now());
    if (timeout <= 0) return { how: 'failed', why: 'there was no time left to ask it' };
    const lines: string[] = [];
    const { ending, stdout = '' } = await programs.run(
      {
        ...{ file, args, cwd: '/', env, outputCap, leftovers: 'end' },
        onStart: () => Promise.resolve(ok(undefined)),
        onLine: (line) => {
          if (lines.length < mostLines) lines.push(line);
        },
      },
      { timeout, signal: bounds.signal },
    );
    const said = oneLine(lines.join(' '));
    if (ending.how === 'exited') return { how: 'exited', code: ending.code, stdout, said };
    return { how: ending.how === 'unstartable' ? 'absent' : 'failed', why: `${file} ${whyOf(ending)}` };
  };
}

const mostLines = 8;

function whyOf(ending: Exclude<Ending, { how: 'exited' }>): string {
  switch (ending.how) {
    case 'signalled':
      return `was ended by ${ending.signal}`;
    case 'timeout':
      return 'did not answer in time';
    case 'flooded':
      return 'wrote more output than it may';
    case 'aborted':
      return 'was stopped';
    case 'unstartable':
      return `cannot be run: ${ending.reason}`;
  }
}

/** Why an answer that is of no use is of none. */
export function reasonOf(file: string, answer: Answer): string {
  if (answer.how !== 'exited') return answer.why;
  return `${file} exited with code ${answer.code}${answer.said === '' ? '' : `: ${answer.said}`}`;
}
