import { createDecipheriv } from 'node:crypto';
import { fail, ok, type Result } from '../failure.ts';
import { parseKeyFrame, parseSecret, type PrivateKey, type PrivateKeyProblem } from './private-key.ts';
import { concat, wireReader } from './wire.ts';

/** A private key of type `ssh-ed25519` that a passphrase locks. */
export interface LockedKey {
  readonly publicBlob: Uint8Array;
  readonly salt: Uint8Array;
  readonly rounds: number;
  /** How many bytes bcrypt_pbkdf(3) has to make of the passphrase. */
  readonly length: number;
  /** @returns `undefined` when that was another passphrase, or the file is damaged: the two cannot be told apart */
  unlock(material: Uint8Array): PrivateKey | undefined;
}

type Decrypt = (
  key: Uint8Array,
  iv: Uint8Array,
  secret: Uint8Array,
  tag: Uint8Array,
) => Uint8Array | undefined;

interface Cipher {
  readonly key: number;
  readonly iv: number;
  readonly tag: number;
  readonly decrypt: Decrypt;
}

/** What `ssh-keygen -Z` makes, but for 3des-cbc (OpenSSH cipher.c). */
const ciphers: ReadonlyMap<string, Cipher> = new Map([
  ...['128', '192', '256'].flatMap((bits): [string, Cipher][] => [
    [`aes${bits}-ctr`, plain(`aes-${bits}-ctr`, Number(bits) / 8)],
    [`aes${bits}-cbc`, plain(`aes-${bits}-cbc`, Number(bits) / 8)],
  ]),
  ['aes128-gcm@openssh.com', galois('aes-128-gcm', 16)],
  ['aes256-gcm@openssh.com', galois('aes-256-gcm', 32)],
  ['chacha20-poly1305@openssh.com', { key: 64, iv: 0, tag: 16, decrypt: chacha }],
]);

/** More would stand still for many seconds; ssh-keygen makes 16 or 24 unless it is told otherwise. */
const mostRounds = 2048;

/** @returns `null` for a key without a passphrase */
export function parseLockedKey(text: string): Result<LockedKey | null, PrivateKeyProblem> {
  const frame = parseKeyFrame(text);
  if (!frame.ok) return frame;
  const { cipher: name, kdf, options, publicBlob, secret, tag } = frame.value;
  if (name === 'none' && kdf === 'none') return ok(null);
  const cipher = ciphers.get(name);
  if (cipher === undefined || kdf !== 'bcrypt') return fail(unknown(name, kdf));
  const wire = wireReader(options);
  const [salt, rounds] = [wire.bytes(), wire.uint32()];
  if (salt === undefined || salt.length === 0 || !wire.isAtEnd()) return fail(damaged);
  if (rounds === undefined || rounds === 0 || tag.length !== cipher.tag) return fail(damaged);
  if (rounds > mostRounds) return fail(tooMany(rounds));
  return ok({
    ...{ publicBlob, salt, rounds, length: cipher.key + cipher.iv },
    unlock: (material) => {
      const [key, iv] = [material.subarray(0, cipher.key), material.subarray(cipher.key)];
      const clear = cipher.decrypt(key, iv, secret, tag);
      const parsed = clear === undefined ? undefined : parseSecret(clear, publicBlob);
      return parsed?.ok === true ? parsed.value : undefined;
    },
  });
}

function plain(name: string, key: number): Cipher {
  const decrypt: Decrypt = (secretKey, iv, secret) => {
    const decipher = createDecipheriv(name, secretKey, iv).setAutoPadding(false);
    return finished(() => concat(decipher.update(secret), decipher.final()));
  };
  return { key, iv: 16, tag: 0, decrypt };
}

function galois(name: 'aes-128-gcm' | 'aes-256-gcm', key: number): Cipher {
  const decrypt: Decrypt = (secretKey, iv, secret, tag) => {
    const decipher = createDecipheriv(name, secretKey, iv).setAuthTag(tag);
    return finished(() => concat(decipher.update(secret), decipher.final()));
  };
  return { key, iv: 12, tag: 16, decrypt };
}

/**
 * OpenSSH PROTOCOL.chacha20poly1305 with packet number 0 and no length: the first half of the key, from block 1 on.
 * The tag is not looked at: the private half has to make the public one, which says as much, and does so for the
 * ciphers without a tag as well.
 */
function chacha(key: Uint8Array, _iv: Uint8Array, secret: Uint8Array): Uint8Array {
  const firstBlock = Buffer.alloc(16);
  firstBlock.writeUInt32LE(1);
  return createDecipheriv('chacha20', key.subarray(0, 32), firstBlock).update(secret);
}

function finished(decrypt: () => Uint8Array): Uint8Array | undefined {
  try {
    return decrypt();
  } catch {
    return undefined;
  }
}

const damaged: PrivateKeyProblem = {
  reason: 'format',
  message: 'the private key is locked with a passphrase, and damaged; restore the file',
};

function unknown(cipher: string, kdf: string): PrivateKeyProblem {
  const message = `the private key is locked with ${cipher} and ${kdf}, which this cannot open; \`ssh-keygen -p -f FILE\` locks it anew`;
  return { reason: 'encrypted', message };
}

function tooMany(rounds: number): PrivateKeyProblem {
  const message = `the private key's passphrase takes ${rounds} rounds, which is too slow here; \`ssh-keygen -p -a 64 -f FILE\` locks it with fewer`;
  return { reason: 'encrypted', message };
}
