import { common, flakeArguments, type FlakeTree } from '../../../shared/nix/arguments.ts';
import type { NixSuspicion } from '../../nix-ports.ts';
import type { Bounds } from '../../ports.ts';
import { isFull } from '../space.ts';
import { exitOf, wordsOf, type NixCommand } from './command.ts';

/** Bytes: with less, Nix itself calls the disk full (src/libstore/build, `cleanupDecideWhetherDiskFull`). */
const leastInStore = 8 * 2 ** 20;

export interface StoreQuestion {
  /** Where the store is. */
  readonly store: string;
  /** A small file without secrets, to be added to it. */
  readonly sample: string;
}

/**
 * Asks Nix for one part after the other of what a build needs, each told by an exit code: to add a file to the store
 * (nix-store(1), `--add`), to read the lock file without changing it (`nix flake metadata`), to fetch all that it
 * locks (`nix flake archive`).
 */
export async function findSuspect(
  run: NixCommand,
  { store, sample }: StoreQuestion,
  tree: FlakeTree,
  bounds: Bounds,
): Promise<NixSuspicion> {
  if (await isFull(store, leastInStore)) return { suspect: 'space', said: '' };
  const { options, reference } = flakeArguments(tree);
  const about = [...common, ...options, '--json', reference];
  const questions = [
    ['store', 'nix-store', ['--add', sample]],
    ['lock', 'nix', ['flake', 'metadata', ...about]],
    ['inputs', 'nix', ['flake', 'archive', ...about]],
  ] as const;
  for (const [suspect, program, args] of questions) {
    const ran = await run(program, args, bounds);
    if (exitOf(ran) !== 0) return { suspect, said: suspect === 'inputs' ? ran.tail.trim() : wordsOf(ran) };
  }
  return { suspect: 'none', said: '' };
}
