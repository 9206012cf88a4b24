import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import type { GitObject, ObjectType } from '../../../shared/objects/object.ts';

/** gitformat-pack(5), "Object types". */
const typeNumbers: Readonly<Record<ObjectType, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 };

/**
 * A version 2 pack of whole, undeltified objects (gitformat-pack(5)): `PACK`, version, count, for each object
 * its header and its bytes through zlib, and at last the SHA-1 of all that.
 */
export function writePack(objects: readonly GitObject[]): Uint8Array {
  const header = Buffer.alloc(12);
  header.write('PACK', 'latin1');
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(objects.length, 8);
  const body = Buffer.concat([
    header,
    ...objects.flatMap(({ type, bytes }) => [entryHeader(type, bytes.length), deflateSync(bytes)]),
  ]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

/** Type and size: four bits of size in the first byte, then seven in each, lowest first; the top bit says "more". */
function entryHeader(type: ObjectType, size: number): Uint8Array {
  const header = [(typeNumbers[type] << 4) | (size & 0x0f)];
  // Division instead of shifting: sizes may need more than 32 bits.
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    header[header.length - 1] = (header.at(-1) ?? 0) | 0x80;
    header.push(rest % 128);
  }
  return Uint8Array.from(header);
}
