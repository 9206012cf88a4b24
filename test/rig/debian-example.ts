import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FileChange } from './world.ts';

const example = join(import.meta.dirname, '../../examples/debian');

/** The example for Debian as it is, but for `fleet.yaml`: `init` and `approve` make that one. */
export function exampleFiles(): Record<string, FileChange> {
  const paths = readdirSync(example, { recursive: true, encoding: 'utf8' });
  const files = paths.filter((path) => path !== 'fleet.yaml' && statSync(join(example, path)).isFile());
  return Object.fromEntries(
    files.map((path) => {
      const text = readFileSync(join(example, path), 'utf8');
      const isExecutable = (statSync(join(example, path)).mode & 0o100) !== 0;
      return [path, isExecutable ? { executable: text } : text];
    }),
  );
}

/** What all its hosts have, without packages, for there is nowhere to fetch them from. */
export function commonFiles(): Record<string, FileChange> {
  const files = Object.entries(exampleFiles()).filter(([path]) => path.startsWith('common/'));
  return { ...Object.fromEntries(files), 'common/packages': '\n' };
}

/** A service with these lines, which runs from the boot on. */
export function unitFile(...lines: readonly string[]): string {
  return ['[Service]', ...lines, '[Install]', 'WantedBy=multi-user.target', ''].join('\n');
}
