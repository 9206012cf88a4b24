import type { ObjectId, ObjectType } from '../../../shared/objects/object.ts';

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

/** An object of which the header was read. */
interface Opened {
  readonly id: ObjectId;
  readonly type: ObjectType;
  readonly bytes: Buffer;
  filled: number;
}

/**
 * Cuts the stream into answers, whatever the borders of its chunks. Bytes are copied out of the chunks, for one may
 * hold many small objects, and keeping one of them must not keep it whole.
 * @param cap bytes of content above which an object is not taken in: memory is only reserved below it
 */
export function batchParser(cap: number, onAnswer: (answer: Answer) => void): (chunk: Uint8Array) => void {
  /** What earlier chunks held of a header. */
  let begun = '';
  let body: Opened | null = null;
  let broken = false;

  /** Takes what it can from there on; returns where the rest begins. */
  function takeHeader(chunk: Buffer, at: number): number {
    const newline = chunk.indexOf(0x0a, at);
    const end = newline === -1 ? chunk.length : newline;
    const line = begun + chunk.toString('latin1', at, end);
    begun = newline === -1 && line.length <= longestHeader ? line : '';
    if (begun !== '') return end;
    const answer = parseHeader(line, cap);
    if ('kind' in answer) {
      broken = answer.kind !== 'missing';
      onAnswer(answer);
    } else {
      const { id, type, size } = answer;
      body = { id, type, bytes: Buffer.allocUnsafe(size), filled: 0 };
    }
    return end + 1;
  }

  function takeBody(chunk: Buffer, at: number, into: Opened): number {
    const end = at + into.bytes.length - into.filled;
    into.filled += chunk.copy(into.bytes, into.filled, at, end);
    // A newline of the protocol follows the content.
    if (chunk.length <= end) return chunk.length;
    body = null;
    onAnswer({ kind: 'object', id: into.id, type: into.type, bytes: into.bytes });
    return end + 1;
  }

  return (chunk) => {
    const whole = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    while (at < whole.length && !broken) {
      at = body === null ? takeHeader(whole, at) : takeBody(whole, at, body);
    }
  };
}

function parseHeader(line: string, cap: number): Answer | { id: ObjectId; type: ObjectType; size: number } {
  const [, id, type, digits] =
    /^([0-9a-f]{40}) (?:(commit|tree|blob|tag) (\d{1,15})|missing)$/.exec(line) ?? [];
  if (id === undefined) return { kind: 'garbage', line };
  if (type === undefined) return { kind: 'missing' };
  const size = Number(digits);
  return size > cap ? { kind: 'too-large', size } : { id, type: type as ObjectType, size };
}
