import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { must } from './run.ts';
import type { World } from './world.ts';

/** `git` and `ssh` to put first on PATH: each notes its arguments, and then is the real one. */
export interface Spy {
  /** The environment that finds them. */
  readonly env: Readonly<Record<string, string>>;
  /** Every argument of every call so far. */
  seen(): string;
}

export async function startSpy({ dir, env }: World): Promise<Spy> {
  const folder = join(dir, 'spy');
  const notes = join(folder, 'notes');
  mkdirSync(folder, { recursive: true });
  for (const name of ['git', 'ssh']) {
    const real = await must('sh', ['-c', `command -v ${name}`], { env });
    const script = `#!/bin/sh\nprintf '%s ' "$0" "$@" >>'${notes}'\necho >>'${notes}'\nexec '${real}' "$@"\n`;
    writeFileSync(join(folder, name), script);
    chmodSync(join(folder, name), 0o755);
  }
  return {
    env: { PATH: [folder, env['PATH'] ?? ''].join(delimiter) },
    seen: () => (existsSync(notes) ? readFileSync(notes, 'utf8') : ''),
  };
}

/** The arguments of every process of the machine: what each of its users may read (proc_pid_cmdline(5)). */
export function argumentsOfAll(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .join('\n');
}
