import { chmod, chown, lstat, mkdir, readlink, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Failure, fail, ok, type Result } from '../../shared/failure.ts';
import type { Random, Systems } from '../ports.ts';
import { makeFolder, namesIn, removeDurably, syncFolder } from './durable.ts';
import { errorCode, fileFailure } from './file-failure.ts';
import { placeOf } from '../../shared/cycle/journal.ts';
import { type Kept, readGenerations, replaceLink, writeGeneration } from './generations.ts';
import { removeTree } from './remove-tree.ts';
import { takeBack } from './take-back.ts';
import type { Account } from './process/account.ts';
import { sealSystem } from './seal.ts';

export interface SystemsOptions {
  /** The agent's state folder, absolute. */
  readonly state: string;
  readonly random: Random;
  /** Where `sync` is looked for: a `PATH`. */
  readonly searchPath: string;
  /** Whose a reserved directory is until it is sealed (S7); the agent's own if absent. */
  readonly builder?: Account;
}

/** Where things lie below the state folder. */
interface Layout {
  readonly state: string;
  readonly systems: string;
  readonly generations: string;
  /** A link to `generations/N`, relative so that the state folder can be looked at from elsewhere. */
  readonly current: string;
}

/**
 * `systems/ID`, which is a system of kind `exec` or the root of one in the Nix store; `generations/N`, and the link
 * `current`. What this process has reserved and not yet registered or discarded is never pruned; what a crashed
 * predecessor left so is. Only `prune` removes systems that it was not told of: it runs once a switch is confirmed.
 */
export function fileSystems({ state, random, searchPath, builder }: SystemsOptions): Systems {
  const layout: Layout = {
    state,
    systems: join(state, 'systems'),
    generations: join(state, 'generations'),
    current: join(state, 'current'),
  };
  const reserved = new Set<string>();
  return {
    async reserve() {
      await removeEmpty(layout, reserved).catch(() => undefined);
      const made = await makeSystem(layout, random.id(), builder);
      if (made.ok) reserved.add(made.value);
      return made;
    },
    async reserveRoot() {
      const path = join(layout.systems, random.id());
      try {
        await makeFolder(layout.systems, 0o755);
        reserved.add(path);
        return ok(path);
      } catch (error) {
        return fail(fileFailure(error, 'make the folder of the systems', path));
      }
    },
    async discard(path) {
      const name = basename(path);
      if (!isName(name)) return;
      const kept = await readGenerations(layout.generations);
      if (namesOf(kept.flatMap((one) => one.places)).has(name)) return;
      reserved.delete(path);
      await removeTree(join(layout.systems, name));
    },
    async seal(path) {
      const taken = builder === undefined ? ok(undefined) : await takeBack(path, builder);
      return taken.ok ? sealSystem(path, searchPath) : taken;
    },
    async generations() {
      const kept = await readGenerations(layout.generations);
      return kept.map((one) => one.generation).filter((generation) => generation !== null);
    },
    async register(generation) {
      const written = await writeGeneration(layout.generations, generation);
      if (written.ok) reserved.delete(placeOf(generation));
      return written;
    },
    setCurrent: (number) => setCurrent(layout, number),
    prune: (keep) => prune(layout, new Set(keep), reserved),
  };
}

/**
 * A predecessor that was killed right after `reserve` left a directory that its journal does not know. It is
 * empty, and rmdir(2) takes no other: a system never goes this way, whatever has become of the generations.
 */
async function removeEmpty(layout: Layout, reserved: ReadonlySet<string>): Promise<void> {
  const ours = namesOf([...reserved]);
  for (const name of await namesIn(layout.systems)) {
    if (isName(name) && !ours.has(name)) await rmdir(join(layout.systems, name)).catch(() => undefined);
  }
}

async function makeSystem(layout: Layout, id: string, builder?: Account): Promise<Result<string>> {
  const path = join(layout.systems, id);
  try {
    await makeFolder(layout.systems, 0o755);
    await mkdir(path);
    // Services run from it, whatever this process's umask is.
    await chmod(path, 0o755);
    if (builder !== undefined) await chown(path, builder.uid, builder.gid);
    return ok(path);
  } catch (error) {
    return fail(fileFailure(error, 'make a directory for the build', path));
  }
}

async function setCurrent(layout: Layout, number: number | null): Promise<Result<void>> {
  try {
    if (number === null) {
      await removeDurably(layout.current);
      return ok(undefined);
    }
    const kept = await readGenerations(layout.generations);
    const whole = kept.some((one) => one.number === number && one.generation !== null);
    if (!whole) return fail(notWhole(number, join(layout.generations, String(number))));
    await replaceLink(layout.current, `generations/${number}`);
    return ok(undefined);
  } catch (error) {
    return fail(fileFailure(error, 'change the current generation', layout.current));
  }
}

function notWhole(number: number, where: string): Failure {
  return {
    kind: 'unexpected',
    cause: `generation ${number} is missing or damaged, so it cannot become the current one`,
    where,
    remedy: 'push a revision, so that a new generation is built',
  };
}

/**
 * Generations go first, and for good, then the systems that no generation names: a power cut in between leaves
 * systems without a generation, never the reverse. The current generation stays even if `keep` lacks it.
 */
async function prune(
  layout: Layout,
  keep: ReadonlySet<number>,
  reserved: ReadonlySet<string>,
): Promise<void> {
  const current = await currentOf(layout);
  const all = await readGenerations(layout.generations);
  const stays = (one: Kept): boolean => keep.has(one.number) || current === `generations/${one.number}`;
  const leaving = all.filter((one) => !stays(one));
  for (const one of leaving) await removeTree(one.home);
  if (leaving.length > 0) await syncFolder(layout.generations);

  const left = all.filter(stays);
  // What runs is not among what can be read: any system may be the one (P4).
  if (current !== null && !left.some((one) => current === `generations/${one.number}`)) return;
  await removeUnused(layout, left, reserved);
}

/** Where `current` points; `null` only when there is no such link (P4). Throws the system's other errors. */
async function currentOf(layout: Layout): Promise<string | null> {
  return readlink(layout.current).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  });
}

/** Removes the systems that nobody uses; none while some generation's system cannot be told (P4). */
async function removeUnused(
  layout: Layout,
  left: readonly Kept[],
  reserved: ReadonlySet<string>,
): Promise<void> {
  if (left.some((one) => one.places.length === 0)) return;
  const places = left.flatMap((one) => one.places);
  const used = namesOf([...places, ...reserved]);
  for (const name of await namesIn(layout.systems)) {
    const path = join(layout.systems, name);
    if (isName(name) && !used.has(name) && !(await isRootOf(path, places))) await removeTree(path);
  }
}

/** Whether it is a root of a store path that a generation names: of a damaged one, no more may be known than that. */
async function isRootOf(path: string, places: readonly string[]): Promise<boolean> {
  if (!(await lstat(path)).isSymbolicLink()) return false;
  return places.includes(await readlink(path));
}

/** What `reserve` may have made: `..`, or a `lost+found`, is nobody's to remove. */
function isName(name: string): boolean {
  return /^[\w-]+$/.test(name);
}

/** Systems are told apart by their random names: the state folder itself may have been moved. */
function namesOf(systems: readonly string[]): ReadonlySet<string> {
  return new Set(systems.map((path) => basename(path)));
}
