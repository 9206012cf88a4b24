import {
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';

/**
 * X25519 by OpenSSL. Node 20 prints a warning about the same in Web Crypto, which is what age-encryption would use.
 */
export interface PrivateScalar {
  readonly key: KeyObject;
  readonly publicKey: Uint8Array;
}

const pkcs8 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** @param scalar 32 bytes; clamped when it is used (RFC 7748, section 5) */
export function privateScalar(scalar: Uint8Array): PrivateScalar {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8, scalar]), format: 'der', type: 'pkcs8' });
  return { key, publicKey: pointOf(createPublicKey(key)) };
}

/**
 * A key for one stanza. Made as DER: to export a key object that was generated hangs Node 20 for ever, once in some thousand
 * keys, when a garbage collection meanwhile takes the job that generated it, and waits for the lock that the export holds.
 */
export function ephemeralScalar(): PrivateScalar {
  const pair = generateKeyPairSync('x25519', {
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
  // Both end with the 32 bytes of the key (RFC 8410, sections 4 and 7).
  const publicKey = pair.publicKey.subarray(-32);
  const x = publicKey.toString('base64url');
  const d = pair.privateKey.subarray(-32).toString('base64url');
  const key = createPrivateKey({ key: { kty: 'OKP', crv: 'X25519', x, d }, format: 'jwk' });
  return { key, publicKey };
}

/** The scalar of an Ed25519 key (RFC 8032, section 5.1.5): the key with which it opens what is sealed. */
export function scalarOf(seed: Uint8Array): Uint8Array {
  return createHash('sha512').update(seed).digest().subarray(0, 32);
}

/** @returns `undefined` when the other point is of low order: everybody would know such a secret */
export function sharedSecret({ key }: PrivateScalar, point: Uint8Array): Uint8Array | undefined {
  if (point.length !== 32) return undefined;
  try {
    const secret = diffieHellman({ privateKey: key, publicKey: publicKeyObject(point) });
    return secret.every((byte) => byte === 0) ? undefined : secret;
  } catch {
    // OpenSSL refuses an all-zero result by itself.
    return undefined;
  }
}

/** As a JSON Web Key (RFC 8037), which OpenSSL reads more than ten times faster than DER. */
function publicKeyObject(point: Uint8Array): KeyObject {
  const x = Buffer.from(point).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
}

function pointOf(publicKey: KeyObject): Uint8Array {
  return Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
}
