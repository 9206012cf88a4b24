import { readdirSync, readFileSync } from 'node:fs';
import { vi } from 'vitest';
import { processStat } from '../../agent/adapters/proc.ts';
import { patience } from './patience.ts';

/** A process that has to do with a test's folder. */
export interface Related {
  readonly pid: number;
  readonly command: string;
}

/**
 * Live processes that name a folder in their arguments or their environment: whatever an agent below it started,
 * and what that started in turn, for both are handed down.
 */
export function processesOf(folder: string): readonly Related[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        const environment = readFileSync(`/proc/${name}/environ`, 'utf8');
        const stat = processStat(Number(name));
        const isLive = stat !== null && stat.state !== 'Z' && stat.state !== 'X';
        return isLive && `${command}\0${environment}`.includes(folder)
          ? [{ pid: Number(name), command }]
          : [];
      } catch {
        return [];
      }
    });
}

/** Waits until nothing that has to do with the folder runs; says what does if it takes too long. */
export async function allGone(folder: string, within = patience.timeout): Promise<void> {
  await vi.waitFor(
    () => {
      const left = processesOf(folder);
      if (left.length > 0) throw new Error(`still running: ${JSON.stringify(left)}`);
    },
    { timeout: within, interval: 5 },
  );
}

/** For when a test is over, however it ended. */
export function endAll(folder: string): void {
  for (const { pid } of processesOf(folder)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}

/** Whether a process is there and not a zombie. */
export function isRunning(pid: number): boolean {
  const stat = processStat(pid);
  return stat !== null && stat.state !== 'Z' && stat.state !== 'X';
}
