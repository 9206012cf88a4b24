import { createHash, createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';

/**
 * X25519 by OpenSSL. Node 20 prints a warning about the same in Web Crypto, which is what age-encryption would use.
 */
export interface PrivateScalar {
  readonly key: KeyObject;
  readonly publicKey: Uint8Array;
}

const pkcs8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const spki = Buffer.from('302a300506032b656e032100', 'hex');

/** @param scalar 32 bytes; clamped when it is used (RFC 7748, section 5) */
export function privateScalar(scalar: Uint8Array): PrivateScalar {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8, scalar]), format: 'der', type: 'pkcs8' });
  const exported = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return { key, publicKey: exported.subarray(spki.length) };
}

/** The scalar of an Ed25519 key (RFC 8032, section 5.1.5): the key with which it opens what is sealed. */
export function scalarOf(seed: Uint8Array): Uint8Array {
  return createHash('sha512').update(seed).digest().subarray(0, 32);
}

/** @returns `undefined` when the other point is of low order: everybody would know such a secret */
export function sharedSecret({ key }: PrivateScalar, point: Uint8Array): Uint8Array | undefined {
  if (point.length !== 32) return undefined;
  try {
    const publicKey = createPublicKey({ key: Buffer.concat([spki, point]), format: 'der', type: 'spki' });
    const secret = diffieHellman({ privateKey: key, publicKey });
    return secret.every((byte) => byte === 0) ? undefined : secret;
  } catch {
    // OpenSSL refuses an all-zero result by itself.
    return undefined;
  }
}
