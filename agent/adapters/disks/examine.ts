import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { BlockDevice } from '../../../shared/disk/block-devices.ts';
import type { Signature } from '../../../shared/disk/disk.ts';
import {
  type Examination,
  foundAtEnd,
  foundIn,
  layoutOf,
  looksOf,
  newsOf,
} from '../../../shared/disk/examination.ts';
import { windowSize } from '../../../shared/disk/magic.ts';
import { isZero, lookOf, samplePlaces, sampleSize, sweepPlaces } from '../../../shared/disk/samples.ts';
import { fail, type Failure, ok, type Result } from '../../../shared/failure.ts';
import type { Bounds } from '../../ports.ts';
import { fileFailure } from '../file-failure.ts';
import { inUse, type Opened } from './exclusive.ts';
import type { Looked } from './look.ts';

/** What is on an open disk of which programs have told the rest. All reads go through the one file that was checked. */
export async function examineOpened(
  device: BlockDevice,
  { disk, tableId }: Looked,
  { handle, isExclusive }: Opened,
  bounds: Bounds,
): Promise<Result<Examination>> {
  const read = readerOf(handle, device, bounds);
  const sampled = await takeSamples(read, device.size);
  if (!sampled.ok) return sampled;
  const swept = await sweep(read, device);
  if (!swept.ok) return swept;
  const found = newsOf(disk, swept.value.found);
  const isTold = isExclusive || disk.uses.length > 0;
  const used = isTold ? disk : { ...disk, uses: [inUse(disk.name)] };
  return ok({
    disk: used,
    device: device.number,
    layout: layoutOf(disk, tableId, found),
    samples: sampled.value.digest,
    looks: looksOf([...disk.signatures, ...found], sampled.value.looks, swept.value.isAllZero),
    isExclusive,
    found,
  });
}

/** As many bytes as asked for, or a failure. Valid until the next read. */
type Read = (at: number, length: number) => Promise<Result<Uint8Array>>;

/** A read of a dying disk may not come back: then nobody waits for it any longer than the bounds say. */
function readerOf(handle: FileHandle, { name, size }: BlockDevice, bounds: Bounds): Read {
  const end = performance.now() + bounds.timeout;
  const isOver = (): boolean => bounds.signal.aborted || performance.now() >= end;
  const buffer = Buffer.alloc(windowSize);
  return async (at, length) => {
    if (isOver()) return fail(late(name, bounds));
    try {
      const got = await inTime(handle.read(buffer, 0, length, at), end, bounds.signal);
      if (got === null) return fail(late(name, bounds));
      if (got.bytesRead === Math.min(length, Math.max(0, size - at)))
        return ok(buffer.subarray(0, got.bytesRead));
      return fail({
        kind: 'unexpected',
        cause: `${name} has not the ${size} bytes that it is said to have`,
        where: `byte ${at}`,
        remedy: 'look at the kernel log (dmesg) and at the disk; nothing was changed',
      });
    } catch (error) {
      return fail(fileFailure(error, `read ${name} at byte ${at}`, `/dev/${name}`));
    }
  };
}

async function inTime<Value>(work: Promise<Value>, end: number, signal: AbortSignal): Promise<Value | null> {
  let stop = (): void => undefined;
  const over = new Promise<null>((resolve) => {
    const give = (): void => {
      resolve(null);
    };
    const timer = setTimeout(give, Math.min(end - performance.now(), 2 ** 31 - 1));
    signal.addEventListener('abort', give, { once: true });
    stop = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', give);
    };
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    stop();
  }
}

function late(name: string, { signal }: Bounds): Failure {
  if (signal.aborted) {
    return {
      kind: 'ended',
      cause: `looking at ${name} was stopped`,
      where: `/dev/${name}`,
      remedy: 'run this again; nothing was changed',
    };
  }
  return {
    kind: 'unexpected',
    cause: `${name} could not be looked at in time`,
    where: `/dev/${name}`,
    remedy: 'see whether the disk is well (dmesg, smartctl), then run this again',
  };
}

interface Samples {
  readonly digest: string;
  readonly looks: readonly ReturnType<typeof lookOf>[];
}

async function takeSamples(read: Read, size: number): Promise<Result<Samples>> {
  const hash = createHash('sha256');
  const looks: Samples['looks'][number][] = [];
  for (const at of samplePlaces(size)) {
    const got = await read(at, Math.min(sampleSize, size - at));
    if (!got.ok) return got;
    hash.update(got.value);
    looks.push(lookOf(got.value));
  }
  // There is nothing behind its end: else it would not be the disk that it is said to be.
  const behind = await read(size, 1);
  if (!behind.ok) return behind;
  return ok({ digest: hash.digest('hex'), looks });
}

interface Sweep {
  readonly found: readonly Signature[];
  /** Wherever it looked. */
  readonly isAllZero: boolean;
}

async function sweep(read: Read, { name, size }: BlockDevice): Promise<Result<Sweep>> {
  const found: Signature[] = [];
  let isAllZero = true;
  for (const at of sweepPlaces(size)) {
    const got = await read(at, Math.min(windowSize, size - at));
    if (!got.ok) return got;
    if (isZero(got.value)) continue;
    isAllZero = false;
    found.push(...foundIn(got.value, at, name));
  }
  const length = Math.min(windowSize, size);
  const tail = await read(size - length, length);
  if (!tail.ok) return tail;
  if (!isZero(tail.value)) isAllZero = false;
  return ok({ found: [...found, ...foundAtEnd(tail.value, size, name)], isAllZero });
}
