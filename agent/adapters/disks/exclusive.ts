import { constants, type FileHandle, open } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import { errorCode, fileFailure } from '../file-failure.ts';
import { numberOf } from './nodes.ts';

export interface Opened {
  readonly handle: FileHandle;
  /** Nobody has it or a part of it mounted, in an array or the like; nobody may begin to while it is open. */
  readonly isExclusive: boolean;
}

/** Not a link any more, nor a pipe that would wait for somebody to write. */
const plain = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opens a block device to be read, for nobody else if that can be: open(2) gives EBUSY for O_EXCL on a block device that
 * is in use, and a whole disk is in use when one of its partitions is.
 * @param number what the node has to be still
 */
export async function openDevice(node: string, number: string): Promise<Result<Opened>> {
  let handle: FileHandle | undefined;
  try {
    let isExclusive = true;
    handle = await open(node, plain | constants.O_EXCL).catch((error: unknown) => {
      if (errorCode(error) !== 'EBUSY') throw error;
      isExclusive = false;
      return open(node, plain);
    });
    const { rdev, isBlock } = await handle
      .stat({ bigint: true })
      .then((found) => ({ rdev: found.rdev, isBlock: found.isBlockDevice() }));
    if (isBlock && numberOf(rdev) === number) return ok({ handle, isExclusive });
    await handle.close();
    return fail({
      kind: 'unexpected',
      cause: `${node} is another device than a moment ago`,
      where: node,
      remedy: 'see that disks are not being plugged in or out, then run this again',
    });
  } catch (error) {
    await handle?.close().catch(() => undefined);
    return fail(fileFailure(error, 'open the disk', node));
  }
}

/** For as long as it is open nobody else can have it; but a read that does not come back keeps it open, and nobody waits for that. */
export async function closeSoon(handle: FileHandle): Promise<void> {
  const closed = handle.close().catch(() => undefined);
  await Promise.race([closed, wait(1000, undefined, { ref: false })]);
}

/** A use that nothing else has named. */
export function inUse(name: string): string {
  return `${name} or a part of it is in use, says the kernel`;
}
