import { printable } from '../../../shared/printable.ts';

/** Keeps the end of what a program writes, in bounded memory. */
export interface Tail {
  add(chunk: Uint8Array): void;
  /** What was kept, as text that is safe to show; begins at the start of a line if something was dropped. */
  text(): string;
}

/** @param limit bytes to keep */
export function keepTail(limit = 8192): Tail {
  let chunks: Uint8Array[] = [];
  let held = 0;
  let dropped = false;
  return {
    add(chunk) {
      chunks.push(chunk);
      held += chunk.length;
      // Joined only now and then, so that many small writes cost little.
      if (held <= 2 * limit && chunks.length < 1024) return;
      const all = Buffer.concat(chunks);
      const kept = Buffer.from(all.subarray(-limit - 1));
      dropped ||= kept.length < all.length;
      chunks = [kept];
      held = kept.length;
    },
    text() {
      const all = Buffer.concat(chunks);
      const cut = dropped || all.length > limit;
      // A carriage return would hide what stands before it: both parts are shown, as lines.
      return printable(
        (cut ? fromLineStart(all.subarray(-limit - 1)) : all).toString('utf8').replace(/\r\n?/g, '\n'),
      );
    },
  };
}

/** The first byte stands before what is wanted: it tells whether a line begins there. */
function fromLineStart(bytes: Buffer): Buffer {
  const newline = bytes.indexOf(0x0a);
  const isInside = newline !== -1 && newline < bytes.length - 1;
  return isInside ? bytes.subarray(newline + 1) : fromCharacter(bytes.subarray(1));
}

/** Skips what is left of a cut character (UTF-8 continuation bytes, RFC 3629). */
function fromCharacter(bytes: Buffer): Buffer {
  let start = 0;
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return bytes.subarray(start);
}
