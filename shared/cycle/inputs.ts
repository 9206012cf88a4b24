import { createHash } from 'node:crypto';
import type { ObjectId } from '../objects/object.ts';
import type { TreeItem } from '../objects/tree.ts';

/** What an exec build with declared `inputs` depends on. */
export interface Dependencies {
  readonly host: string;
  readonly groups: readonly string[];
  readonly build: string;
  /** The declared paths, the build program's among them, with what the tree has there. */
  readonly found: readonly { readonly path: string; readonly item: TreeItem | null }[];
}

/** Equal keys mean that a build would find the same inputs; the revision's id is not one of them. */
export function inputsKey({ host, groups, build, found }: Dependencies): string {
  const inputs = found.map(({ path, item }) => [path, item?.mode ?? null, item?.id ?? null]);
  return digestOf([host, groups, build, inputs]);
}

/** What a NixOS system depends on: evaluation is pure, and the lock file is part of the tree. */
export interface NixosDependencies {
  readonly host: string;
  readonly attr: string;
  readonly dir: string;
  readonly tree: ObjectId;
  /** Which Nix evaluates, as `Nix.identity` names it. */
  readonly nix: string;
}

/** Equal keys mean that an evaluation would find the same system, but for the revision that it may have a name of. */
export function nixosInputsKey({ host, attr, dir, tree, nix }: NixosDependencies): string {
  return digestOf(['nixos', host, attr, dir, tree, nix]);
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
