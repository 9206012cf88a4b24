import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatRemembered, parseRemembered } from '../../shared/record/remembered.ts';
import type { CloneMemory } from '../clone-ports.ts';
import { replacePrivate } from './private-file.ts';
import { foreignWriter } from './writers.ts';

/**
 * Below the clone's Git directory, in a folder of our own; what was found authentic is kept for each branch. What somebody
 * else owns, or could have written to, is as good as not there: it would say what need not be verified.
 */
export function fileMemory(gitDirectory: string, branch: string): CloneMemory {
  const file = join(gitDirectory, 'autark', 'readers.json');
  return {
    load: () => {
      const text = read(file);
      return Promise.resolve(text === null ? null : parseRemembered(text, branch));
    },
    save: (remembered) => {
      try {
        mkdirSync(dirname(file), { mode: 0o700, recursive: true });
        replacePrivate(file, formatRemembered(remembered, branch, read(file)));
      } catch {
        // Somebody else's clone, or a full disk: the next command looks at everything again.
      }
      return Promise.resolve();
    },
  };
}

function read(file: string): string | null {
  try {
    return foreignWriter(file) === undefined ? readFileSync(file, 'utf8') : null;
  } catch {
    return null;
  }
}
