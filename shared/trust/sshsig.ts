import { createHash, hash, sign, verify, type KeyObject } from 'node:crypto';
import { fail, ok, type Result } from '../failure.ts';
import { privateKeyObject, type PrivateKey } from './private-key.ts';
import { fingerprint, parsePublicBlob, publicKeyObject, type PublicKey } from './public-key.ts';
import {
  concat,
  equalBytes,
  fromArmour,
  toArmour,
  wireFields,
  wireReader,
  wireString,
  wireUint32,
} from './wire.ts';

/** SSH signatures: OpenSSH PROTOCOL.sshsig; those of hardware tokens: PROTOCOL.u2f, “SSH U2F Signatures”. */
const label = 'SSH SIGNATURE';
const magic = 'SSHSIG';
const version = 1;
/** The token saw its owner: a touch (user presence, PROTOCOL.u2f). */
const userPresent = 0x01;

export type SigHash = 'sha256' | 'sha512';

export interface SshSig {
  /** Who claims to have signed. */
  readonly publicKey: PublicKey;
  readonly namespace: string;
  readonly hash: SigHash;
  /** R and S of RFC 8032, 64 bytes. */
  readonly raw: Uint8Array;
  /** What a token adds to what it signs; absent for `ssh-ed25519`. */
  readonly token?: { readonly flags: number; readonly counter: number };
}

/** The bytes that are signed in place of a message (section 3). */
export function signatureInput(
  namespace: string,
  message: Uint8Array,
  algorithm: SigHash = 'sha512',
): Uint8Array {
  const digest = hash(algorithm, message, 'buffer');
  return wireFields(magic, namespace, '', algorithm, digest);
}

/**
 * The armoured signature (sections 1 and 2), its last line end included.
 * @param signature in the encoding of its key type, such as RFC 8709, section 6
 */
export function armour(
  publicBlob: Uint8Array,
  namespace: string,
  signature: Uint8Array,
  hash: SigHash = 'sha512',
): string {
  const fields = [publicBlob, namespace, '', hash, signature].map((field) => wireString(field));
  return toArmour(label, concat(magic, wireUint32(version), ...fields));
}

/** Signs a message. Ed25519 is deterministic: the same key and message give the same text. */
export function signWith(privateKey: PrivateKey, namespace: string, message: Uint8Array): string {
  const raw = sign(null, signatureInput(namespace, message), privateKeyObject(privateKey.seed));
  const signature = concat(wireString(privateKey.type), wireString(raw));
  return armour(privateKey.publicBlob, namespace, signature);
}

/**
 * Reads an armoured signature. Stricter than ssh-keygen: exactly version 1, nothing around the armour, and a
 * reserved field that is empty. The specification lets readers ignore what is reserved, but it is
 * outside of what OpenSSH verifies, and nobody writes it.
 * @param readKey reads the signer's key; one that remembers spares much where few keys sign a lot
 * @returns else a sentence that says what to do (S3)
 */
export function parseSshSig(text: string, readKey = parsePublicBlob): Result<SshSig, string> {
  const blob = fromArmour(label, text);
  if (blob === undefined) return fail(foreign(text));
  const wire = wireReader(blob);
  if (Buffer.from(wire.take(magic.length) ?? []).toString('latin1') !== magic) return fail(malformed);
  if (wire.uint32() !== version) return fail('the SSH signature is of a version other than 1; update autark');
  const [keyBlob, namespace, reserved] = [wire.bytes(), wire.word(), wire.bytes()];
  const [hash, signature] = [wire.word(), wire.bytes()];
  if (keyBlob === undefined || namespace === undefined || reserved === undefined) return fail(malformed);
  if (signature === undefined || !wire.isAtEnd() || reserved.length > 0) return fail(malformed);
  if (hash !== 'sha256' && hash !== 'sha512') return fail('the SSH signature uses an unknown hash');
  const publicKey = readKey(keyBlob);
  if (!publicKey.ok) return fail(`the signing key is refused: ${publicKey.failure}`);
  const parts = parseSignature(signature, publicKey.value);
  return parts === undefined
    ? fail(malformed)
    : ok({ publicKey: publicKey.value, namespace, hash, ...parts });
}

function parseSignature(content: Uint8Array, { type }: PublicKey): Pick<SshSig, 'raw' | 'token'> | undefined {
  const wire = wireReader(content);
  const [stated, raw] = [wire.word(), wire.bytes()];
  if (stated !== type || raw?.length !== 64) return undefined;
  if (type === 'ssh-ed25519') return wire.isAtEnd() ? { raw } : undefined;
  const [flags, counter] = [wire.byte(), wire.uint32()];
  if (flags === undefined || counter === undefined || !wire.isAtEnd()) return undefined;
  return { raw, token: { flags, counter } };
}

/**
 * Whether the signature is one over this message in this namespace, by the key it names. Who may sign is
 * another question: it is answered with `blob`, or by the caller.
 * @param blob when given, that of the one key that may have signed
 * @param object when given, the signature's own key, ready for node:crypto
 */
export function verifySshSig(
  sig: SshSig,
  namespace: string,
  message: Uint8Array,
  { blob, object }: { readonly blob?: Uint8Array; readonly object?: KeyObject } = {},
): Result<void, string> {
  const { publicKey, token } = sig;
  if (blob !== undefined && !equalBytes(blob, publicKey.blob)) {
    return fail(`it is signed with another key, ${fingerprint(publicKey.blob)}, not ${fingerprint(blob)}`);
  }
  if (sig.namespace !== namespace) {
    return fail(`the signature was made for “${sig.namespace.slice(0, 40)}”, not for “${namespace}”`);
  }
  if (token !== undefined && (token.flags & userPresent) === 0) {
    return fail('the token signed without a touch; make its key without `no-touch-required`');
  }
  const signed = signedBytes(sig, signatureInput(namespace, message, sig.hash));
  const isGood = verify(null, signed, object ?? publicKeyObject(publicKey.point), sig.raw);
  return isGood ? ok(undefined) : fail('the signature does not fit what it should cover');
}

/** A token signs hashes of its application and of the input, with its flags and counter between. */
function signedBytes({ publicKey, token }: SshSig, input: Uint8Array): Uint8Array {
  if (token === undefined) return input;
  const sha256 = (content: Uint8Array | string): Uint8Array => createHash('sha256').update(content).digest();
  const { flags, counter } = token;
  return concat(
    sha256(publicKey.application ?? ''),
    Uint8Array.of(flags),
    wireUint32(counter),
    sha256(input),
  );
}

const malformed = 'the SSH signature is malformed; sign again';

/** OpenPGP, and CMS as gpgsm writes it (git's gpg-interface.c); git verifies them by programs we never run. */
function foreign(text: string): string {
  const useSsh = 'sign with an SSH key instead: `autark join` sets this clone to do so';
  if (/^-----BEGIN PGP (SIGNATURE|MESSAGE)-----/.test(text)) {
    return `it is signed with OpenPGP, which is not accepted; ${useSsh}`;
  }
  if (text.startsWith('-----BEGIN SIGNED MESSAGE-----')) {
    return `it is signed with an X.509 certificate, which is not accepted; ${useSsh}`;
  }
  return text.startsWith(`-----BEGIN ${label}-----`)
    ? malformed
    : `it is signed in an unknown way; ${useSsh}`;
}
