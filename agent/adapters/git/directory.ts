import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import { fileFailure } from '../file-failure.ts';
import { processStat } from '../proc.ts';
import { endGroup } from '../process/group.ts';
import { usualPatience } from '../process/run.ts';
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
    replace(join(directory, protectedFile), protectedConfig);
    replace(join(directory, 'config'), config);
    replace(join(directory, 'HEAD'), 'ref: refs/autark/config\n');
    return ok(undefined);
  } catch (error) {
    return fail(fileFailure(error, 'prepare the Git directory', directory));
  }
}

/** Writes what the next git may send to a server; a poll that finds it unchanged leaves the disk alone (P9). */
export function writeAccess(directory: string, config: string): Result<void> {
  try {
    replace(join(directory, accessFile), config);
    return ok(undefined);
  } catch (error) {
    return fail(fileFailure(error, 'prepare the Git directory', directory));
  }
}

/** Not synced: the directory can be made anew at any time. Mode 0600, for one of them may hold a secret. */
function replace(path: string, text: string): void {
  if (contents(path) === text) return;
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, text, { flag: 'wx', mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
}

function contents(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
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

/** Whether a git runs there; `cat-file` only reads and does not count. */
function isInUse(directory: string): boolean {
  return gitsIn(directory).some((pid) => !textOf(`/proc/${pid}/cmdline`).includes('\0cat-file\0'));
}

/**
 * Ends what a killed predecessor left running there, such as a fetch from a server that hangs. Only whoever holds
 * `daemon.lock` may call it: then no git in this directory is anybody else's.
 */
export async function endStrays(directory: string): Promise<void> {
  const groups = new Set(gitsIn(directory).map((pid) => processStat(pid)?.group ?? 0));
  for (const group of groups) await endGroup(group, usualPatience.grace);
}

/** Processes of our own user with the `GIT_DIR` that we give to each git. */
function gitsIn(directory: string): number[] {
  const mark = `\0GIT_DIR=${directory}\0`;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids
    .filter((pid) => `\0${textOf(`/proc/${pid}/environ`)}`.includes(mark) && isOurs(pid))
    .map(Number);
}

function isOurs(pid: string): boolean {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid === process.geteuid?.();
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
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
