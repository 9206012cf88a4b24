import { constants, type Stats } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { fail, ok, type Result } from '../../shared/failure.ts';
import { type SystemDigest, startDigest } from '../../shared/cycle/digest.ts';
import { childOf } from './remove-tree.ts';

/** One thing in a built system. Both paths are bytes. */
export interface TreeItem {
  readonly absolute: Buffer;
  /** Relative to the system; empty for the system itself. */
  readonly path: Buffer;
  readonly stat: Stats;
}

/** Something that the build did and that no system may have. */
export interface Flaw {
  readonly cause: string;
  readonly where: string;
}

/**
 * Everything in a system, itself first, parents before children, the names of one directory in byte order.
 * Holds one directory's names a level. Throws the system's error.
 */
export async function* walk(absolute: Buffer, path: Buffer = Buffer.alloc(0)): AsyncGenerator<TreeItem> {
  const stat = await lstat(absolute);
  yield { absolute, path, stat };
  if (!stat.isDirectory()) return;
  const names = await readdir(absolute, { encoding: 'buffer' });
  for (const name of names.sort((a, b) => Buffer.compare(a, b))) {
    yield* walk(childOf(absolute, name), childOf(path, name));
  }
}

/** The digest of the system in that directory. Throws the system's error. */
export async function digestOf(system: string): Promise<Result<string, Flaw>> {
  const digest = startDigest();
  const chunk = Buffer.allocUnsafe(256 * 1024);
  for await (const item of walk(Buffer.from(system))) {
    const flaw = await addItem(digest, item, chunk);
    if (flaw !== null) return fail({ cause: flaw, where: item.absolute.toString() });
  }
  return ok(digest.finish());
}

async function addItem(digest: SystemDigest, item: TreeItem, chunk: Buffer): Promise<string | null> {
  const { absolute, path, stat } = item;
  const mode = stat.mode & 0o7777;
  if (stat.isDirectory()) {
    digest.entry({ type: 'directory', path, mode, size: 0 });
    return null;
  }
  if (stat.isSymbolicLink()) {
    const target = await readlink(absolute, { encoding: 'buffer' });
    digest.entry({ type: 'link', path, mode: 0, size: target.length });
    digest.content(target);
    return null;
  }
  if (!stat.isFile()) return 'it is neither a file, a directory nor a symbolic link';
  digest.entry({ type: 'file', path, mode, size: stat.size });
  const complete = await addContent(digest, absolute, stat.size, chunk);
  return complete ? null : 'it changed while it was read';
}

/** Whether exactly `size` bytes followed the header: else the encoding would be ambiguous. */
async function addContent(digest: SystemDigest, path: Buffer, size: number, chunk: Buffer): Promise<boolean> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    for (let left = size; ;) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length);
      left -= bytesRead;
      if (bytesRead === 0 || left < 0) return left === 0;
      digest.content(chunk.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

/** Syncs every file and directory of a system, where syncfs(2) is not to be had. Throws the system's error. */
export async function syncTree(system: string): Promise<void> {
  for await (const { absolute, stat } of walk(Buffer.from(system))) {
    if (!stat.isFile() && !stat.isDirectory()) continue;
    const file = await open(absolute, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    await file.sync().finally(() => file.close());
  }
}
