import { chmod, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIn } from '../durable.ts';
import { errorCode } from '../file-failure.ts';
import { aboutOf, placedNumber, type Layout } from './layout.ts';

/** The numbered sets below `secrets.d`: one is shown, and all others go. */

/**
 * One that nobody else has, also where an agent and a person place at once: whoever makes the folder has it. What an
 * earlier placing left goes first: the new set may need its room. Throws the system's error.
 * @param placed the set that is shown, which stays
 */
export async function takeNumber(layout: Layout, placed: number | null): Promise<number> {
  const numbers = (await namesIn(layout.store)).map(numberOf);
  for (let number = 1 + Math.max(0, ...numbers); ; number += 1) {
    // Somebody else may have shown another one since.
    await removeBefore(layout, number, [placed, await placedNumber(layout)]);
    try {
      await makeExactly(aboutOf(layout, number), 0o700);
      return number;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** Makes a folder with that mode, whatever the umask is. Throws the system's error. */
export async function makeExactly(path: string, mode: number): Promise<void> {
  await mkdir(path, { mode });
  await chmod(path, mode);
}

/** Shows that set in place of the one before, in one step. Throws the system's error. */
export async function swap({ run, link }: Layout, number: number): Promise<void> {
  const draft = join(run, '.secrets.autark-new');
  await rm(draft, { force: true });
  await symlink(join('secrets.d', String(number)), draft);
  await rename(draft, link);
}

/**
 * Removes all sets before that one but for those that stay: what came after it is another's, who has not ended yet;
 * what a crash left is always from before. Throws the system's error.
 */
export async function removeBefore(
  layout: Layout,
  number: number,
  stay: readonly (number | null)[],
): Promise<void> {
  for (const name of await namesIn(layout.store)) {
    const found = numberOf(name);
    if (found < number && !stay.includes(found)) await remove(layout, name);
  }
}

/** Throws the system's error. */
export async function removeSet(layout: Layout, number: number): Promise<void> {
  for (const name of await namesIn(layout.store)) if (numberOf(name) === number) await remove(layout, name);
}

/** Throws the system's error. */
export async function removeSets(layout: Layout): Promise<void> {
  for (const name of await namesIn(layout.store)) await remove(layout, name);
}

async function remove({ store }: Layout, name: string): Promise<void> {
  await rm(join(store, name), { recursive: true, force: true });
}

/** Of a set's folder, or of the one beside it; 0 for what is no set's. */
function numberOf(name: string): number {
  return Number(/^(\d+)(?:\.about)?$/.exec(name)?.[1] ?? 0);
}
