import { existsSync } from 'node:fs';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import { fileFailure } from '../file-failure.ts';
import { commandOf, processesWith } from '../strays.ts';
import { protectedConfig } from './config.ts';
import { protectedFile } from './environment.ts';
import type { DirectoryFiles, Housekeeper } from './housekeeper.ts';

/**
 * The bare Git directory that git expects (gitrepository-layout(5)), with exactly this configuration. By hand:
 * `git init` would take templates and defaults from the machine.
 */
export function directoryFiles(config: string): DirectoryFiles {
  return { [protectedFile]: protectedConfig, config, HEAD: 'ref: refs/autark/config\n' };
}

/** The folders that make it a Git directory, besides. */
export const directoryFolders = ['objects/pack', 'refs/autark'] as const;

/** Whether a git of this user runs there, by the `GIT_DIR` that we give to each; `cat-file` only reads, and does not count. */
export function isInUse(directory: string, uid?: number): boolean {
  return processesWith('GIT_DIR', directory, uid).some((pid) => !commandOf(pid).includes('\0cat-file\0'));
}

/** Removes what a crash left of a directory that was to be replaced. Not while it is being fetched anew. */
export async function sweepReplacements(
  directory: string,
  keeper: Housekeeper,
  uid: number | undefined,
): Promise<void> {
  const fresh = `${directory}.fresh`;
  const left = [`${directory}.old`, fresh].filter((path) => existsSync(path));
  if (left.length === 0 || isInUse(fresh, uid)) return;
  for (const path of left) await keeper.remove(path).catch(() => undefined);
}

/** Puts a directory that was fetched anew in the place of the old one. A crash in between costs another fetch. */
export async function swapDirectory(
  directory: string,
  fresh: string,
  keeper: Housekeeper,
): Promise<Result<void>> {
  const old = `${directory}.old`;
  try {
    await keeper.remove(old);
    await rename(directory, old);
    await rename(fresh, directory);
    await keeper.remove(old);
    return ok(undefined);
  } catch (error) {
    return fail(fileFailure(error, 'replace the Git directory', directory));
  }
}

/** How many packs a directory has; each fetch that brings something adds one, and git looks through them all. */
export async function countPacks(directory: string): Promise<number> {
  const names = await readdir(join(directory, 'objects', 'pack')).catch(() => []);
  return names.filter((name) => name.endsWith('.pack')).length;
}
