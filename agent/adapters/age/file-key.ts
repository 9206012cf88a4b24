import type { Stanza } from 'age-encryption';
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { concat } from '../../../shared/trust/wire.ts';

/** age's file key has 16 bytes, and its tag as many. */
const [keyLength, tagLength] = [16, 16];
/** Each wrapping key is used once, so the nonce may be fixed (age specification, X25519 recipient stanza). */
const nonce = Buffer.alloc(12);
const cipher = 'chacha20-poly1305';

export interface Exchange {
  readonly secret: Uint8Array;
  /** The ephemeral share, as in the stanza. */
  readonly share: Uint8Array;
  /** The recipient's point. */
  readonly recipient: Uint8Array;
  readonly label: string;
}

export function wrap(fileKey: Uint8Array, exchange: Exchange): Uint8Array {
  const aead = createCipheriv(cipher, wrappingKey(exchange), nonce, { authTagLength: tagLength });
  return concat(aead.update(fileKey), aead.final(), aead.getAuthTag());
}

/** A stanza, which age-encryption has a class for; that package is loaded when something is sealed or opened. */
export async function stanza(args: string[], body: Uint8Array): Promise<Stanza> {
  const age = await import('age-encryption');
  return new age.Stanza(args, body);
}

/** @returns `undefined` when it was wrapped for another key, or changed */
export function unwrap(body: Uint8Array, exchange: Exchange): Uint8Array | undefined {
  if (body.length !== keyLength + tagLength) return undefined;
  const aead = createDecipheriv(cipher, wrappingKey(exchange), nonce, { authTagLength: tagLength });
  aead.setAuthTag(body.subarray(keyLength));
  const fileKey = aead.update(body.subarray(0, keyLength));
  try {
    return concat(fileKey, aead.final());
  } catch {
    return undefined;
  }
}

function wrappingKey({ secret, share, recipient, label }: Exchange): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, concat(share, recipient), label, 32));
}

/** Base64 without padding, the one form of it that age allows; `undefined` for any other. */
export function fromUnpadded(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return toUnpadded(bytes) === text ? bytes : undefined;
}

export function toUnpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
