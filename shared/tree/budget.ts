import { fail, ok, type Result } from '../failure.ts';

/** What a walk of a tree may use up (S6). */
export interface Budget {
  /** Directories above an entry; an entry at the root has none. */
  readonly depth: number;
  readonly entries: number;
  readonly pathBytes: number;
  readonly blobBytes: number;
  readonly totalBytes: number;
}

/**
 * Room for a fleet that keeps all of nixpkgs in its tree (some 80,000 entries, 200 MiB), several times over in
 * bytes; a blob is held in memory once, and a path leaves PATH_MAX (4096) room for the folder it is
 * written to.
 */
export const defaultBudget: Budget = {
  depth: 64,
  entries: 200_000,
  pathBytes: 3_072,
  blobBytes: 128 * 1024 * 1024,
  totalBytes: 1024 * 1024 * 1024,
};

export interface Spent {
  readonly entries: number;
  readonly totalBytes: number;
}

export const nothingSpent: Spent = { entries: 0, totalBytes: 0 };

/**
 * Accounts for one entry, directories included, wherever the same object was seen before: a tree that holds
 * itself many times is many entries. To be asked before an entry's children are read.
 * @param bytes the blob's size; 0 for a directory
 * @returns what is spent now, or which limit the entry breaks
 */
export function spend(
  spent: Spent,
  entry: { readonly path: string; readonly bytes: number },
  budget: Budget = defaultBudget,
): Result<Spent, string> {
  const now = { entries: spent.entries + 1, totalBytes: spent.totalBytes + entry.bytes };
  const limits: readonly [number, number, string][] = [
    [entry.path.split('/').length - 1, budget.depth, 'directories deep'],
    [Buffer.byteLength(entry.path, 'utf8'), budget.pathBytes, 'bytes in a path'],
    [now.entries, budget.entries, 'entries'],
    [entry.bytes, budget.blobBytes, 'bytes in a file'],
    [now.totalBytes, budget.totalBytes, 'bytes in all'],
  ];
  const broken = limits.find(([used, limit]) => used > limit);
  return broken === undefined ? ok(now) : fail(`the tree has more than ${broken[1]} ${broken[2]}`);
}
