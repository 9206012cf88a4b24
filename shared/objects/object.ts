import { createHash, hash } from 'node:crypto';

/** Forty lower-case hex digits: the SHA-1 name of a Git object (gitformat-pack(5)). */
export type ObjectId = string;

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

export interface GitObject {
  readonly type: ObjectType;
  readonly bytes: Uint8Array;
}

/** Whether the text is a full object name; abbreviations are never accepted. */
export function isObjectId(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** Bytes up to which an object is copied once more to be hashed. */
const small = 4096;

/** The name Git gives these bytes: SHA-1 over `TYPE SP LENGTH NUL` and the content. */
export function objectId({ type, bytes }: GitObject): ObjectId {
  const header = `${type} ${bytes.length}\0`;
  if (bytes.length > small) return createHash('sha1').update(header).update(bytes).digest('hex');
  // Most objects are small, and to set up a hash takes longer than to copy and hash them at once.
  const whole = Buffer.allocUnsafe(header.length + bytes.length);
  whole.write(header, 'latin1');
  whole.set(bytes, header.length);
  return hash('sha1', whole, 'hex');
}
