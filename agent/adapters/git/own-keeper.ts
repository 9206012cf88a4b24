import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import { fileFailure } from '../file-failure.ts';
import { replacePrivate } from '../private-file.ts';
import { directoryFolders, isInUse } from './directory.ts';
import type { DirectoryFiles, Housekeeper } from './housekeeper.ts';

/** For Git directories of the agent's own user. Synchronous where it is a few small files at every poll (P9). */
export function ownKeeper(): Housekeeper {
  return {
    prepare: (directory, files) => Promise.resolve(prepare(directory, files)),
    async sweep(directory) {
      if (isInUse(directory)) return;
      const found = await Promise.all([
        matching(directory, /\.(lock|new)$/, false),
        matching(join(directory, 'refs'), /\.lock$/, true),
        matching(join(directory, 'objects'), /^(tmp_|incoming-)|\/(tmp_|\.tmp-)|\.lock$/, true),
      ]);
      for (const path of found.flat())
        await rm(path, { recursive: true, force: true }).catch(() => undefined);
    },
    remove: (directory) => rm(directory, { recursive: true, force: true }),
  };
}

function prepare(directory: string, files: DirectoryFiles): Result<void> {
  try {
    removeForeign(directory);
    for (const folder of directoryFolders) {
      mkdirSync(join(directory, folder), { recursive: true, mode: 0o700 });
    }
    for (const [name, text] of Object.entries(files)) replacePrivate(join(directory, name), text);
    return ok(undefined);
  } catch (error) {
    return fail(fileFailure(error, 'prepare the Git directory', directory));
  }
}

/** What another user could have configured is no directory for root's git: hooks and helpers would run as root. */
function removeForeign(directory: string): void {
  const own = process.geteuid?.();
  const owner = lstatSync(directory, { throwIfNoEntry: false })?.uid;
  if (own === 0 && owner !== undefined && owner !== own) rmSync(directory, { recursive: true, force: true });
}

async function matching(folder: string, pattern: RegExp, recursive: boolean): Promise<string[]> {
  const names = await readdir(folder, { recursive }).catch(() => []);
  return names.filter((name) => pattern.test(name)).map((name) => join(folder, name));
}
