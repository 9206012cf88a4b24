/** Where a disk is looked at when it is too large to be read, and what the bytes there look like. All of it follows from its size alone. */

const MiB = 2 ** 20;
const GiB = 2 ** 30;

export const sampleSize = 4096;

/** At most this many. */
const sampleCount = 256;

/** Ascending offsets of samples, evenly spread; the first and the last `sampleSize` bytes are among them. */
export function samplePlaces(size: number): readonly number[] {
  const last = Math.max(0, size - sampleSize);
  const places = new Set<number>();
  for (let i = 0; i < sampleCount; i += 1) {
    const at = Math.floor((last * i) / (sampleCount - 1));
    places.add(i === sampleCount - 1 ? last : Math.floor(at / sampleSize) * sampleSize);
  }
  return [...places];
}

/** How many places between the first and the last GiB are looked at. */
const middleCount = 2048;

/**
 * Where partitions may have begun on a disk whose table is gone: ever since disks grew past 2 TB, tools align them to
 * MiB. All of these in the first and the last GiB, and evenly spread ones between; at most 4097, ascending.
 */
export function sweepPlaces(size: number): readonly number[] {
  const end = Math.ceil(size / MiB);
  const [head, tail] = [Math.min(end, GiB / MiB), Math.max(0, end - GiB / MiB)];
  const places = new Set<number>();
  for (let i = 0; i < head; i += 1) places.add(i);
  const between = tail - head;
  const count = Math.min(middleCount, Math.max(0, between));
  for (let i = 0; i < count; i += 1) places.add(head + Math.floor((between * i) / count));
  for (let i = Math.max(head, tail); i < end; i += 1) places.add(i);
  return [...places].map((index) => index * MiB);
}

/** What some bytes look like. Compressed data looks random, too. */
export function lookOf(bytes: Uint8Array): 'zero' | 'random' | 'other' {
  if (isZero(bytes)) return 'zero';
  return entropy(bytes) >= randomFrom ? 'random' : 'other';
}

const zeros = Buffer.alloc(MiB);

/** Of at most 1 MiB. */
export function isZero(bytes: Uint8Array): boolean {
  return zeros.subarray(0, bytes.length).equals(bytes);
}

/**
 * Bits a byte. 4096 random bytes have 8 - 255 / (2 ln 2 * 4096), 7.955, give or take 0.004; texts have 5, programs 6 to 7.
 */
const randomFrom = 7.9;

function entropy(bytes: Uint8Array): number {
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  let bits = 0;
  for (const count of counts) {
    const share = count / bytes.length;
    if (count > 0) bits -= share * Math.log2(share);
  }
  return bits;
}
