import { readdirSync, readFileSync, statSync } from 'node:fs';
import { processStat } from './proc.ts';
import { endGroup } from './process/group.ts';
import { usualPatience } from './process/run.ts';

/** Live processes of our own user with this variable in the environment that they were started with (proc(5)). */
export function processesWith(name: string, value: string): number[] {
  const mark = `\0${name}=${value}\0`;
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => `\0${textOf(`/proc/${pid}/environ`)}`.includes(mark) && isOurs(pid))
    .map(Number);
}

/**
 * Ends what a killed predecessor left running, such as a fetch from a server that hangs: each process group with a
 * process so marked. Only whoever holds `daemon.lock` may call it: then none of them is anybody else's.
 */
export async function endStrays(name: string, value: string): Promise<void> {
  const groups = new Set(processesWith(name, value).map((pid) => processStat(pid)?.group ?? 0));
  for (const group of groups) await endGroup(group, usualPatience.grace);
}

/** The arguments of a process, NUL after each; empty when it is gone. */
export function commandOf(pid: number): string {
  return textOf(`/proc/${pid}/cmdline`);
}

function isOurs(pid: string): boolean {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid === process.geteuid?.();
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
