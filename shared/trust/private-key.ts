import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { fail, ok, type Result } from '../failure.ts';
import { ed25519Blob, parsePublicBlob } from './public-key.ts';
import { concat, equalBytes, fromArmour, toArmour, wireReader, wireString, wireUint32 } from './wire.ts';

/** An unencrypted `ssh-ed25519` key. Nothing of it but `line` and `comment` may ever be shown. */
export interface PrivateKey {
  readonly type: 'ssh-ed25519';
  /** The 32 secret bytes of RFC 8032. */
  readonly seed: Uint8Array;
  readonly publicBlob: Uint8Array;
  readonly comment: string;
  /** `TYPE BASE64` of the public half. */
  readonly line: string;
}

export interface PrivateKeyProblem {
  /** Encrypted with a passphrase; of a type that is not supported; or not such a file. */
  readonly reason: 'encrypted' | 'type' | 'format';
  readonly message: string;
}

const label = 'OPENSSH PRIVATE KEY';
const magic = 'openssh-key-v1\0';
/** The block size of “no cipher” (OpenSSH cipher.c). */
const block = 8;

/** The outside of a private key file, with one key of type `ssh-ed25519` in it. */
export interface KeyFrame {
  readonly cipher: string;
  readonly kdf: string;
  readonly options: Uint8Array;
  readonly publicBlob: Uint8Array;
  readonly secret: Uint8Array;
  /** What a cipher that authenticates leaves behind the rest. */
  readonly tag: Uint8Array;
}

/** A private key file, openssh-key-v1 (OpenSSH PROTOCOL.key), with exactly one unencrypted Ed25519 key. */
export function parsePrivateKey(text: string): Result<PrivateKey, PrivateKeyProblem> {
  const frame = parseKeyFrame(text);
  if (!frame.ok) return frame;
  const { cipher, kdf, options, publicBlob, secret, tag } = frame.value;
  if (cipher !== 'none' || kdf !== 'none') return fail(encrypted);
  return options.length === 0 && tag.length === 0 ? parseSecret(secret, publicBlob) : fail(malformed);
}

export function parseKeyFrame(text: string): Result<KeyFrame, PrivateKeyProblem> {
  const content = fromArmour(label, text.replaceAll('\r\n', '\n').trim());
  if (content === undefined) return fail(foreign(text));
  const wire = wireReader(content);
  if (Buffer.from(wire.take(magic.length) ?? []).toString('latin1') !== magic) return fail(malformed);
  const [cipher, kdf, options, count] = [wire.word(), wire.word(), wire.bytes(), wire.uint32()];
  const [publicBlob, secret] = [wire.bytes(), wire.bytes()];
  if (cipher === undefined || kdf === undefined || options === undefined || count !== 1)
    return fail(malformed);
  if (publicBlob === undefined || secret === undefined) return fail(malformed);
  const tag = wire.take(16) ?? new Uint8Array(0);
  if (!wire.isAtEnd()) return fail(malformed);
  const type = wireReader(publicBlob).word() ?? '';
  if (type !== 'ssh-ed25519') return fail(otherType(type));
  return ok({ cipher, kdf, options, publicBlob, secret, tag });
}

/**
 * The secret part in the clear. Its two halves are checked against each other and against the public one, so one that
 * was decrypted with a wrong key never passes.
 */
export function parseSecret(secret: Uint8Array, outer: Uint8Array): Result<PrivateKey, PrivateKeyProblem> {
  const wire = wireReader(secret);
  const [check, again, type] = [wire.uint32(), wire.uint32(), wire.word()];
  const [point, pair, comment] = [wire.bytes(), wire.bytes(), wire.bytes()];
  if (check === undefined || check !== again || type !== 'ssh-ed25519') return fail(malformed);
  if (point === undefined || pair?.length !== 64 || comment === undefined) return fail(malformed);
  if (secret.length % block !== 0) return fail(malformed);
  for (let pad = 1; !wire.isAtEnd(); pad += 1) if (wire.byte() !== (pad & 0xff)) return fail(malformed);
  const seed = pair.subarray(0, 32);
  const own = publicPoint(seed);
  const stated = [point, pair.subarray(32)];
  if (!stated.every((each) => equalBytes(each, own)) || !equalBytes(ed25519Blob(own), outer)) {
    return fail({ reason: 'format', message: 'the private and the public half of the key do not match' });
  }
  const known = parsePublicBlob(outer);
  if (!known.ok) return fail({ reason: 'format', message: known.failure });
  return ok({
    type,
    seed,
    publicBlob: outer,
    comment: Buffer.from(comment).toString('utf8'),
    line: known.value.line,
  });
}

/**
 * A private key file as ssh-keygen writes one without a passphrase.
 * @param seed 32 random bytes
 * @param checkint a random uint32; it protects nothing where nothing is encrypted
 * @throws RangeError for a seed of another length
 */
export function formatPrivateKey(seed: Uint8Array, comment: string, checkint: number): string {
  if (seed.length !== 32) throw new RangeError('an Ed25519 seed has 32 bytes');
  const point = publicPoint(seed);
  const check = wireUint32(checkint);
  const key = concat(wireString('ssh-ed25519'), wireString(point), wireString(concat(seed, point)));
  const body = concat(check, check, key, wireString(comment.replace(/\p{Cc}/gu, '')));
  const padding = Uint8Array.from(
    { length: (block - (body.length % block)) % block },
    (_, index) => index + 1,
  );
  const head = concat(magic, wireString('none'), wireString('none'), wireString(''), wireUint32(1));
  return toArmour(label, concat(head, wireString(ed25519Blob(point)), wireString(concat(body, padding))));
}

/** For node:crypto: the seed as PKCS #8 (RFC 8410, section 7). */
export function privateKeyObject(seed: Uint8Array): KeyObject {
  const key = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

function publicPoint(seed: Uint8Array): Uint8Array {
  const spki = createPublicKey(privateKeyObject(seed)).export({ format: 'der', type: 'spki' });
  return spki.subarray(spki.length - 32);
}

const malformed: PrivateKeyProblem = {
  reason: 'format',
  message:
    'the file is not a private key in OpenSSH’s format, or it is damaged; make one with `ssh-keygen -t ed25519`',
};

const encrypted: PrivateKeyProblem = {
  reason: 'encrypted',
  message: 'the private key is locked with a passphrase; unlock it in ssh-agent, or name a key without one',
};

function otherType(type: string): PrivateKeyProblem {
  const isToken = type.startsWith('sk-');
  const name = /^[a-z0-9@.-]{1,64}$/.test(type) ? type : 'another type';
  const message = isToken
    ? `the key (${name}) lives in a hardware token, which this cannot use; use an ssh-ed25519 key`
    : `the key is of type ${name}; only ssh-ed25519 will do (\`ssh-keygen -t ed25519\`)`;
  return { reason: 'type', message };
}

/** PEM files of other kinds get their own sentence. */
function foreign(text: string): PrivateKeyProblem {
  const [, kind] = /^-----BEGIN (RSA|DSA|EC) PRIVATE KEY-----/.exec(text.trim()) ?? [];
  if (kind !== undefined) return otherType(kind === 'RSA' ? 'ssh-rsa' : kind.toLowerCase());
  if (!/^ssh-|^sk-/.test(text)) return malformed;
  return { reason: 'format', message: 'the file is a public key; name the private one, without .pub' };
}
