import { createHash } from 'node:crypto';

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

/** The name Git gives these bytes: SHA-1 over `TYPE SP LENGTH NUL` and the content. */
export function objectId(object: GitObject): ObjectId {
  return createHash('sha1')
    .update(`${object.type} ${object.bytes.length}\0`)
    .update(object.bytes)
    .digest('hex');
}
