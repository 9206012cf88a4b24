import { createHash } from 'node:crypto';
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
  return createHash('sha256')
    .update(JSON.stringify([host, groups, build, inputs]))
    .digest('hex');
}
