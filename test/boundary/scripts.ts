import { readdirSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processStat } from '../../agent/adapters/proc.ts';
import type { Bounds, Order } from '../../agent/ports.ts';
import { ok } from '../../shared/failure.ts';

/** A folder with a shell program in it, and what becomes of its processes. */
export interface Scripts {
  readonly folder: string;
  /** Process ids that `onStart` was told, oldest first. */
  readonly started: number[];
  order(script: string, more?: Partial<Order>): Promise<Order>;
  /** Processes, zombies aside, of the newest program's group. */
  members(): number[];
  remove(): Promise<void>;
}

export async function makeScripts(): Promise<Scripts> {
  const folder = await mkdtemp(join(tmpdir(), 'autark-process-'));
  const started: number[] = [];
  return {
    folder,
    started,
    async order(script, more = {}) {
      const file = join(folder, 'program');
      await writeFile(file, `#!/bin/sh\n${script}\n`);
      await chmod(file, 0o755);
      return {
        file,
        args: [],
        cwd: folder,
        env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
        outputCap: 1_000_000,
        leftovers: 'end',
        onStart: (child) => {
          started.push(child.pid);
          return Promise.resolve(ok(undefined));
        },
        ...more,
      };
    },
    members: () => inGroup(started.at(-1) ?? -1),
    async remove() {
      for (const pid of started.flatMap(inGroup)) process.kill(pid, 'SIGKILL');
      await rm(folder, { recursive: true });
    },
  };
}

function inGroup(group: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      const stat = pid > 0 ? processStat(pid) : null;
      return stat !== null && stat.group === group && stat.state !== 'Z';
    });
}

export function bounds(timeout = 30_000, signal = new AbortController().signal): Bounds {
  return { timeout, signal };
}
