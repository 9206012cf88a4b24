import { oneLine } from '../../../shared/printable.ts';
import type { Bounds } from '../../ports.ts';
import { runProcess, type Finished } from '../process/run.ts';

/** Runs one of Nix's small programs in its folder. */
export type NixCommand = (program: string, args: readonly string[], bounds: Bounds) => Promise<Finished>;

export function nixCommand(home: string, env: Readonly<Record<string, string>>): NixCommand {
  return (file, args, bounds) =>
    runProcess({ file, args, cwd: home, env, outputCap: 2 ** 20, stdout: 'keep', leftovers: 'end' }, bounds);
}

/** The exit code of a program that ended by itself, else `null`. */
export function exitOf({ ending }: Finished): number | null {
  return ending.how === 'exited' ? ending.code : null;
}

/** What a program said last, for a person; its decisions are told by exit codes alone. */
export function wordsOf({ ending, tail }: Finished): string {
  const lines = tail
    .split('\n')
    .map(oneLine)
    .filter((line) => line !== '');
  const line = lines.findLast((each) => each.startsWith('error:')) ?? lines.at(-1);
  if (line !== undefined) return line.replace(/^error: */, '').slice(0, 300);
  switch (ending.how) {
    case 'exited':
      return `it exited with code ${ending.code}`;
    case 'unstartable':
      return `it cannot be started: ${ending.reason}`;
    case 'timeout':
      return 'it gave no answer in time';
    case 'signalled':
      return `it was ended by ${ending.signal}`;
    case 'flooded':
    case 'aborted':
      return 'it was ended';
  }
}
