import { isObjectId, type ObjectId, type ObjectType } from '../../../shared/objects/object.ts';

/** One answer of `git cat-file --batch` (git-cat-file(1), "BATCH OUTPUT"). */
export type Answer =
  | { readonly kind: 'object'; readonly id: ObjectId; readonly type: ObjectType; readonly bytes: Uint8Array }
  | { readonly kind: 'missing' }
  /** The object is larger than the cap; its bytes follow in the stream and are not worth reading. */
  | { readonly kind: 'too-large'; readonly size: number }
  /** Something that this protocol does not know: nothing after it can be understood. */
  | { readonly kind: 'garbage'; readonly line: string };

/** No header is longer; more without a newline is not this protocol. */
const longestHeader = 512;

/**
 * Cuts the stream into answers, whatever the borders of its chunks.
 * @param cap bytes of content above which an object is not taken in: memory is only reserved below it
 */
export function batchParser(cap: number, onAnswer: (answer: Answer) => void): (chunk: Uint8Array) => void {
  let header = Buffer.alloc(0);
  let body: { id: ObjectId; type: ObjectType; bytes: Buffer; filled: number } | null = null;
  let broken = false;

  /** Takes what it can from the chunk's start; returns the rest. */
  function takeHeader(chunk: Buffer): Buffer {
    const end = chunk.indexOf(0x0a);
    header = Buffer.concat([header, end === -1 ? chunk : chunk.subarray(0, end)]);
    if (end === -1 && header.length <= longestHeader) return chunk.subarray(chunk.length);
    const line = header.toString('latin1');
    header = Buffer.alloc(0);
    const answer = parseHeader(line, cap);
    if ('kind' in answer) {
      broken = answer.kind !== 'missing';
      onAnswer(answer);
    } else {
      body = { ...answer, bytes: Buffer.allocUnsafe(answer.size), filled: 0 };
    }
    return end === -1 ? chunk.subarray(chunk.length) : chunk.subarray(end + 1);
  }

  function takeBody(chunk: Buffer, into: NonNullable<typeof body>): Buffer {
    const wanted = into.bytes.length - into.filled;
    into.filled += chunk.copy(into.bytes, into.filled, 0, wanted);
    // A newline of the protocol follows the content.
    if (chunk.length <= wanted) return chunk.subarray(chunk.length);
    body = null;
    onAnswer({ kind: 'object', id: into.id, type: into.type, bytes: into.bytes });
    return chunk.subarray(wanted + 1);
  }

  return (chunk) => {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (rest.length > 0 && !broken) rest = body === null ? takeHeader(rest) : takeBody(rest, body);
  };
}

function parseHeader(line: string, cap: number): Answer | { id: ObjectId; type: ObjectType; size: number } {
  const [id = '', type = '', size = '', more] = line.split(' ');
  if (isObjectId(id) && type === 'missing' && size === '') return { kind: 'missing' };
  if (!isObjectId(id) || !isType(type) || !/^\d{1,15}$/.test(size) || more !== undefined) {
    return { kind: 'garbage', line };
  }
  return Number(size) > cap ? { kind: 'too-large', size: Number(size) } : { id, type, size: Number(size) };
}

function isType(text: string): text is ObjectType {
  return text === 'commit' || text === 'tree' || text === 'blob' || text === 'tag';
}
