import { existsSync, mkdirSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import { fileFailure } from '../file-failure.ts';
import { replacePrivate } from '../private-file.ts';
import { commandOf, processesWith } from '../strays.ts';
import { accessFile, protectedConfig } from './config.ts';
import { protectedFile } from './environment.ts';

/**
 * Makes the bare Git directory that git expects (gitrepository-layout(5)), as far as it is missing, with
 * exactly this configuration. By hand: `git init` would cost a process and take templates and defaults from
 * the machine. Synchronous, for it is a few small files at every poll (P9).
 */
export function prepareDirectory(directory: string, config: string): Result<void> {
  try {
    mkdirSync(join(directory, 'objects', 'pack'), { recursive: true, mode: 0o700 });
    mkdirSync(join(directory, 'refs', 'autark'), { recursive: true, mode: 0o700 });
    replacePrivate(join(directory, protectedFile), protectedConfig);
    replacePrivate(join(directory, 'config'), config);
    replacePrivate(join(directory, 'HEAD'), 'ref: refs/autark/config\n');
    return ok(undefined);
  } catch (error) {
    return fail(fileFailure(error, 'prepare the Git directory', directory));
  }
}

/** Writes what the next git may send to a server; a poll that finds it unchanged leaves the disk alone (P9). */
export function writeAccess(directory: string, config: string): Result<void> {
  try {
    replacePrivate(join(directory, accessFile), config);
    return ok(undefined);
  } catch (error) {
    return fail(fileFailure(error, 'prepare the Git directory', directory));
  }
}

/**
 * Removes what killed gits left: locks, which would stop every later fetch, and half-written packs, which
 * nobody else collects, for maintenance is off. Does nothing while another git works in the directory.
 */
export async function sweepDirectory(directory: string): Promise<void> {
  if (isInUse(directory)) return;
  const found = await Promise.all([
    matching(directory, /\.(lock|new)$/, false),
    matching(join(directory, 'refs'), /\.lock$/, true),
    matching(join(directory, 'objects'), /^(tmp_|incoming-)|\/(tmp_|\.tmp-)|\.lock$/, true),
  ]);
  for (const path of found.flat()) await rm(path, { recursive: true, force: true }).catch(() => undefined);
}

async function matching(folder: string, pattern: RegExp, recursive: boolean): Promise<string[]> {
  const names = await readdir(folder, { recursive }).catch(() => []);
  return names.filter((name) => pattern.test(name)).map((name) => join(folder, name));
}

/** Whether a git runs there, known by the `GIT_DIR` that we give to each; `cat-file` only reads and does not count. */
function isInUse(directory: string): boolean {
  return processesWith('GIT_DIR', directory).some((pid) => !commandOf(pid).includes('\0cat-file\0'));
}

/** Removes what a crash left of a directory that was to be replaced. Not while it is being fetched anew. */
export async function sweepReplacements(directory: string): Promise<void> {
  const fresh = `${directory}.fresh`;
  const left = [`${directory}.old`, fresh].filter((path) => existsSync(path));
  if (left.length === 0 || isInUse(fresh)) return;
  for (const path of left) await rm(path, { recursive: true, force: true }).catch(() => undefined);
}

/** Puts a directory that was fetched anew in the place of the old one. A crash in between costs another fetch. */
export async function swapDirectory(directory: string, fresh: string): Promise<Result<void>> {
  const old = `${directory}.old`;
  try {
    await rm(old, { recursive: true, force: true });
    await rename(directory, old);
    await rename(fresh, directory);
    await rm(old, { recursive: true, force: true });
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
