import { readlink, rename, symlink, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Generation } from '../../shared/cycle/journal.ts';
import { parseGeneration, serialiseGeneration } from '../../shared/cycle/parse-generation.ts';
import { fail, type Result } from '../../shared/failure.ts';
import {
  makeFolder,
  namesIn,
  readIfThere,
  syncFolder,
  sweepTemporaries,
  temporaryName,
  writeDurably,
} from './durable.ts';
import { fileFailure } from './file-failure.ts';

/**
 * Writes `generations/N`: the link `system`, then `generation.json`, whose appearance makes it whole; synced.
 * @param folder the absolute folder `generations`
 */
export async function writeGeneration(folder: string, generation: Generation): Promise<Result<void>> {
  const home = join(folder, String(generation.number));
  try {
    await makeFolder(home, 0o755);
    // Not synced by itself: the sync of the same folder after generation.json takes it along.
    await placeLink(join(home, 'system'), generation.path);
  } catch (error) {
    return fail(fileFailure(error, `register generation ${generation.number}`, home));
  }
  const content = serialiseGeneration(generation);
  return writeDurably(join(home, 'generation.json'), Buffer.from(content), 0o644);
}

/** Points a symbolic link elsewhere, atomically (rename(2)) and synced. Throws the system's error. */
export async function replaceLink(path: string, target: string): Promise<void> {
  await placeLink(path, target);
  await syncFolder(dirname(path));
}

async function placeLink(path: string, target: string): Promise<void> {
  const draft = temporaryName(path);
  await sweepTemporaries(dirname(path));
  try {
    await symlink(target, draft);
    await rename(draft, path);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
}

/** One folder below `generations`, as far as it can be read. */
export interface Kept {
  readonly number: number;
  readonly home: string;
  /** `null` when it is half-written or damaged. */
  readonly generation: Generation | null;
  /** The systems it names by its file or its link, and the root of one in the Nix store; empty when none can be read. */
  readonly places: readonly string[];
}

/** All numbered folders, ascending. Throws the system's error: unreadable is not empty (P4). */
export async function readGenerations(folder: string): Promise<Kept[]> {
  const numbers = await numbersIn(folder);
  return Promise.all(numbers.map((number) => readOne(join(folder, String(number)))));
}

/** Ascending. Throws the system's error. */
async function numbersIn(folder: string): Promise<number[]> {
  const names = await namesIn(folder);
  return names
    .filter((name) => /^[1-9]\d{0,14}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

async function readOne(home: string): Promise<Kept> {
  const number = Number(basename(home));
  const written = await readGenerationFile(join(home, 'generation.json'));
  const link = await readlink(join(home, 'system')).catch(() => null);
  const whole = written !== null && written.number === number && written.path === link;
  const places = [written?.path, written?.root, link].filter((path) => typeof path === 'string');
  return { number, home, generation: whole ? written : null, places };
}

async function readGenerationFile(path: string): Promise<Generation | null> {
  const bytes = await readIfThere(path);
  if (!bytes.ok || bytes.value === null) return null;
  return parseGeneration(Buffer.from(bytes.value).toString());
}
