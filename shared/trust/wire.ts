/**
 * The data types of SSH (RFC 4251, section 5), as far as keys and signatures need them.
 */

/** Reads from the front; every method gives `undefined` when the bytes do not suffice. */
export interface WireReader {
  byte(): number | undefined;
  uint32(): number | undefined;
  /** A `string`: its length, then so many bytes. */
  bytes(): Uint8Array | undefined;
  /** A `string` that is printable ASCII, such as the name of an algorithm; `undefined` for any other. */
  word(): string | undefined;
  /** So many bytes, without a length before them. */
  take(length: number): Uint8Array | undefined;
  isAtEnd(): boolean;
}

export function wireReader(content: Uint8Array): WireReader {
  return new Reader(content);
}

/** A class, for a long history makes very many of these. */
class Reader implements WireReader {
  readonly #content: Buffer;
  #at = 0;

  constructor(content: Uint8Array) {
    this.#content = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  }

  byte(): number | undefined {
    return this.take(1)?.[0];
  }

  uint32(): number | undefined {
    if (this.#content.length - this.#at < 4) return undefined;
    this.#at += 4;
    return this.#content.readUInt32BE(this.#at - 4);
  }

  bytes(): Uint8Array | undefined {
    const length = this.uint32();
    return length === undefined ? undefined : this.take(length);
  }

  word(): string | undefined {
    const length = this.uint32();
    const begin = this.#at;
    if (length === undefined || length > this.#content.length - begin) return undefined;
    this.#at += length;
    const text = this.#content.toString('latin1', begin, this.#at);
    return /^[!-~]+$/.test(text) ? text : undefined;
  }

  take(length: number): Uint8Array | undefined {
    if (length > this.#content.length - this.#at) return undefined;
    this.#at += length;
    return this.#content.subarray(this.#at - length, this.#at);
  }

  isAtEnd(): boolean {
    return this.#at === this.#content.length;
  }
}

export function wireUint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function wireString(content: Uint8Array | string): Uint8Array {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  return concat(wireUint32(bytes.length), bytes);
}

/** ASCII text, and after it a `string` for each field, also bytes or ASCII; in one piece of memory. */
export function wireFields(prefix: string, ...fields: readonly (Uint8Array | string)[]): Uint8Array {
  const length = fields.reduce((sum, field) => sum + 4 + field.length, prefix.length);
  const bytes = Buffer.allocUnsafe(length);
  let at = bytes.write(prefix, 'latin1');
  for (const field of fields) {
    at = bytes.writeUInt32BE(field.length, at);
    if (typeof field === 'string') bytes.write(field, at, 'latin1');
    else bytes.set(field, at);
    at += field.length;
  }
  return bytes;
}

export function concat(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : part)));
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Base64 (RFC 4648, section 4) in its one canonical form, padding included; `undefined` for any other. */
export function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Text armour as OpenSSH writes it: base64 in lines of 70 characters between two marks. */
export function toArmour(label: string, bytes: Uint8Array): string {
  const lines = toBase64(bytes).match(/.{1,70}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** The bytes within text armour of this label and nothing around it; lines may have any width. */
export function fromArmour(label: string, text: string): Uint8Array | undefined {
  const [begin, end] = [`-----BEGIN ${label}-----`, `-----END ${label}-----`];
  const framed = text.endsWith('\n') ? text.slice(0, -1) : text;
  if (!framed.startsWith(begin) || !framed.endsWith(end)) return undefined;
  const body = framed.slice(begin.length, -end.length);
  // Each mark is a line of its own; one line end may be that of both.
  return body.startsWith('\n') && body.endsWith('\n') ? fromBase64(body.replaceAll('\n', '')) : undefined;
}
