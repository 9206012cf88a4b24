import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { must } from './run.ts';
import type { World } from './world.ts';

/**
 * A `git` to put first on PATH: it notes each call and is the real one, but for calls that are told to hang. A
 * working program, so that nothing of the agent needs to know.
 */
export interface WrappedGit {
  /** The environment that finds it. */
  readonly env: Readonly<Record<string, string>>;
  /** First words of all calls so far, such as `fetch`. */
  calls(): readonly string[];
  /** Has calls with this first word hang from now on. */
  hang(word: string): void;
  /** The process ids of the calls that hung. */
  hung(): readonly number[];
  /** No call hangs any more; those that do stay so. */
  release(): void;
}

export async function wrapGit({ dir, env }: World): Promise<WrappedGit> {
  const real = await must('sh', ['-c', 'command -v git'], { env });
  const folder = join(dir, 'wrapped');
  const file = (name: string): string => join(folder, name);
  mkdirSync(folder, { recursive: true });
  const script = [
    '#!/bin/sh',
    `echo "$1" >>'${file('calls')}'`,
    `if [ -e '${file('hang-')}'"$1" ]; then`,
    // Two processes, so that ending the first one alone would not do.
    `  sleep 1000 &`,
    `  echo "$$ $!" >>'${file('hung')}'`,
    '  wait',
    'fi',
    `exec '${real}' "$@"`,
  ];
  writeFileSync(file('git'), `${script.join('\n')}\n`);
  chmodSync(file('git'), 0o755);
  const words = (name: string): string[] =>
    existsSync(file(name))
      ? readFileSync(file(name), 'utf8')
          .split(/\s+/)
          .filter((word) => word !== '')
      : [];
  return {
    env: { PATH: [folder, env['PATH'] ?? ''].join(delimiter) },
    calls: () => words('calls'),
    hang(word) {
      rmSync(file('hung'), { force: true });
      writeFileSync(file(`hang-${word}`), '');
    },
    hung: () => words('hung').map(Number),
    release() {
      for (const word of ['fetch', 'push']) rmSync(file(`hang-${word}`), { force: true });
    },
  };
}
