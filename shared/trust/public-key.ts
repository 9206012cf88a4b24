import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { fail, ok, type Result } from '../failure.ts';
import { concat, fromBase64, toBase64, wireReader, wireString } from './wire.ts';

/** The two that grant: Ed25519, and Ed25519 in a hardware token (OpenSSH PROTOCOL.u2f). */
export type KeyType = 'ssh-ed25519' | 'sk-ssh-ed25519@openssh.com';

export interface PublicKey {
  readonly type: KeyType;
  /** The key in SSH wire format; keys are the same when these bytes are. */
  readonly blob: Uint8Array;
  /** The point of RFC 8032, 32 bytes. */
  readonly point: Uint8Array;
  /** What a token's key was made for; absent for `ssh-ed25519`. */
  readonly application?: string;
  readonly comment: string;
  /** `TYPE BASE64`, the name of the key everywhere in a fleet. */
  readonly line: string;
}

/**
 * A public key line: `TYPE BASE64 [COMMENT]`, as in a `.pub` file (sshd(8), AUTHORIZED_KEYS FILE FORMAT,
 * without options).
 * @returns else a sentence that says what to use
 */
export function parsePublicKey(line: string): Result<PublicKey, string> {
  const [, type, base64, comment] = /^(\S+)[ \t]+(\S+)(?:[ \t]+(\S[^\r\n]*))?$/.exec(line.trim()) ?? [];
  if (type === undefined || base64 === undefined)
    return fail('not a public key of the form TYPE BASE64 COMMENT');
  if (!isKeyType(type)) return fail(otherType(type));
  const blob = fromBase64(base64);
  const key = blob === undefined ? fail('the key is not base64, or cut short') : parsePublicBlob(blob);
  if (!key.ok) return key;
  if (key.value.type !== type) return fail(`the key says ${type}, but is ${key.value.type}`);
  return ok({ ...key.value, comment: comment ?? '' });
}

/**
 * A public key in wire format: RFC 8709, section 4, and PROTOCOL.u2f, “SSH U2F Key formats”. Nothing may follow.
 * The application of a token's key begins with `ssh:`, else websites could ask the token for signatures.
 */
export function parsePublicBlob(blob: Uint8Array): Result<PublicKey, string> {
  const wire = wireReader(blob);
  const type = wire.word();
  if (type === undefined) return fail('the key is malformed');
  if (!isKeyType(type)) return fail(otherType(type));
  const point = wire.bytes();
  if (point?.length !== 32) return fail('the key is malformed');
  const application = type === 'ssh-ed25519' ? undefined : wire.word();
  if (!wire.isAtEnd()) return fail('the key is malformed');
  if (type !== 'ssh-ed25519' && application?.startsWith('ssh:') !== true) {
    return fail(
      'the key belongs to a token, but was not made for SSH: its application does not begin with “ssh:”',
    );
  }
  if (isSmallOrder(point)) return fail('the key is one for which anybody can sign');
  const line = `${type} ${toBase64(blob)}`;
  return ok({ type, blob, point, ...(application === undefined ? {} : { application }), comment: '', line });
}

function isKeyType(type: string): type is KeyType {
  return type === 'ssh-ed25519' || type === 'sk-ssh-ed25519@openssh.com';
}

function otherType(type: string): string {
  const known = /^[a-z0-9@.-]{1,64}$/i.test(type) ? `keys of type ${type}` : 'such keys';
  return `${known} are not accepted; use ssh-ed25519 (\`ssh-keygen -t ed25519\`) or sk-ssh-ed25519@openssh.com (\`-t ed25519-sk\`)`;
}

/**
 * The y coordinates of points of order 1, 2, 4 and 8 on Curve25519, little-endian, with those that are written
 * as more than the prime. Under such a key a signature can be made without knowing any secret.
 */
const smallOrder: readonly string[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

/** The highest bit is the sign of x, not a part of y (RFC 8032, section 5.1.2). */
function isSmallOrder(point: Uint8Array): boolean {
  const y = Buffer.from(point);
  y[31] = (y[31] ?? 0) & 0x7f;
  return smallOrder.includes(y.toString('hex'));
}

/** As `ssh-keygen -l` prints it: `SHA256:` and unpadded base64. */
export function fingerprint(blob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** The last part of `refs/heads/enroll/<host>/…`: the first 16 hex digits of the SHA-256 of the key blob. */
export function enrolKeyId(blob: Uint8Array): string {
  return createHash('sha256').update(blob).digest('hex').slice(0, 16);
}

/** `TYPE BASE64 [COMMENT]`, without a line end; control characters are left out of the comment. */
export function formatPublicKey(blob: Uint8Array, comment = ''): string {
  const type = wireReader(blob).word() ?? '';
  return `${type} ${toBase64(blob)} ${comment.replace(/\p{Cc}/gu, '')}`.trim();
}

/** The wire format of an `ssh-ed25519` key. */
export function ed25519Blob(point: Uint8Array): Uint8Array {
  return concat(wireString('ssh-ed25519'), wireString(point));
}

/** For node:crypto, as a JSON Web Key (RFC 8037): OpenSSL reads it several times faster than DER. */
export function publicKeyObject(point: Uint8Array): KeyObject {
  const x = Buffer.from(point).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
