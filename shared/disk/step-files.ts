import { createHash } from 'node:crypto';
import type { TreeItem } from '../objects/tree.ts';

/** What lies at one path of a step's `files`: for a folder, its whole tree by one id. */
export interface StepFile extends Pick<TreeItem, 'mode' | 'id'> {
  readonly path: string;
}

/**
 * SHA-256 in hex over `MODE ID PATH` and a NUL for each, by path: what an approval binds besides the program (S16). Of no files
 * as well.
 */
export function filesDigest(files: readonly StepFile[]): string {
  const hash = createHash('sha256');
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  for (const { mode, id, path } of sorted) hash.update(`${mode} ${id} ${path}\0`);
  return hash.digest('hex');
}
