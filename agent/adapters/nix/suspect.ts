import { join } from 'node:path';
import { common, flakeReference, type FlakeTree } from '../../../shared/nix/arguments.ts';
import type { Bounds, NixSuspicion } from '../../ports.ts';
import { isFull } from '../space.ts';
import { exitOf, wordsOf, type NixCommand } from './command.ts';

/**
 * Asks Nix for one part after the other of what a build needs, each told by an exit code: to add a file to the store
 * (nix-store(1), `--add`), to read the lock file without changing it (`nix flake metadata`), to fetch all that it
 * locks (`nix flake archive`).
 */
export async function findSuspect(
  run: NixCommand,
  store: string,
  tree: FlakeTree,
  bounds: Bounds,
): Promise<NixSuspicion> {
  if (await isFull(store)) return { suspect: 'space', said: '' };
  const flake = flakeReference(tree);
  const questions = [
    ['store', 'nix-store', ['--add', join(tree.path, tree.dir, 'flake.nix')]],
    ['lock', 'nix', ['flake', 'metadata', ...common, '--json', flake]],
    ['inputs', 'nix', ['flake', 'archive', ...common, '--json', flake]],
  ] as const;
  for (const [suspect, program, args] of questions) {
    const ran = await run(program, args, bounds);
    if (exitOf(ran) !== 0) return { suspect, said: suspect === 'inputs' ? ran.tail.trim() : wordsOf(ran) };
  }
  return { suspect: 'none', said: '' };
}
