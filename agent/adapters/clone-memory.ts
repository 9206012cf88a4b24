import { lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatRemembered, parseRemembered } from '../../shared/record/remembered.ts';
import type { CloneMemory } from '../clone-ports.ts';
import { replacePrivate } from './private-file.ts';

/**
 * Below the clone's Git directory, in a folder of our own. What somebody else owns, or could have written to, is as
 * good as not there: it would say what need not be verified.
 */
export function fileMemory(gitDirectory: string): CloneMemory {
  const file = join(gitDirectory, 'autark', 'readers.json');
  return {
    load: () => Promise.resolve(isOurs(dirname(file)) && isOurs(file) ? read(file) : null),
    save: (remembered) => {
      try {
        mkdirSync(dirname(file), { mode: 0o700, recursive: true });
        if (isOurs(dirname(file))) replacePrivate(file, formatRemembered(remembered));
      } catch {
        // Somebody else's clone, or a full disk: the next command looks at everything again.
      }
      return Promise.resolve();
    },
  };
}

function read(file: string): ReturnType<typeof parseRemembered> {
  try {
    return parseRemembered(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** No link, owned by this user, writable by nobody else (inode(7)). */
function isOurs(path: string): boolean {
  try {
    const found = lstatSync(path);
    return !found.isSymbolicLink() && found.uid === process.geteuid?.() && (found.mode & 0o022) === 0;
  } catch {
    return false;
  }
}
