import { parsePublicKey } from '../trust/ssh-key.ts';
import { fromBech32 } from './bech32.ts';
import { isOfLowOrder, toMontgomery } from './montgomery.ts';

/** What a line is that is to say who can open something. To the first three can be sealed. */
export type RecipientKind =
  | 'ssh-ed25519'
  | 'x25519'
  | 'post-quantum'
  /** The half that nobody else may see: it is never shown. */
  | 'private'
  | 'hardware'
  | 'other-ssh'
  | 'plugin'
  | 'unknown';

const kinds: readonly (readonly [RegExp, RecipientKind])[] = [
  [/^ssh-ed25519 /, 'ssh-ed25519'],
  [/secret-key|private key/i, 'private'],
  [/^age1pq1[^1]+$/, 'post-quantum'],
  [/^age1[^1]+$/, 'x25519'],
  [/^age1/, 'plugin'],
  [/^(sk-|ecdsa-sk)/, 'hardware'],
  [/^(ssh-|ecdsa-|rsa-)/, 'other-ssh'],
];

/** By its first letters; whether it is whole is another question. */
export function kindOfRecipient(line: string): RecipientKind {
  return kinds.find(([begin]) => begin.test(line))?.[1] ?? 'unknown';
}

/** The 32 bytes of an `age1…`; `undefined` where its checksum or its length is wrong, or it would keep no secret. */
export function x25519Point(line: string): Uint8Array | undefined {
  const point = bytesOf(line, { prefix: 'age', length: 32 });
  return point === undefined || isOfLowOrder(point) ? undefined : point;
}

/** Whether a key of a kind that can be sealed to can be: nothing was lost or mistyped when it was copied. */
export function isWholeRecipient(line: string): boolean {
  switch (kindOfRecipient(line)) {
    case 'ssh-ed25519': {
      const key = parsePublicKey(line);
      return key.ok && toMontgomery(key.value.point) !== undefined;
    }
    case 'x25519':
      return x25519Point(line) !== undefined;
    case 'post-quantum':
      // ML-KEM-768 and X25519 (https://age-encryption.org/v1).
      return bytesOf(line, { prefix: 'age1pq', length: 1184 + 32 }) !== undefined;
    default:
      return false;
  }
}

function bytesOf(
  line: string,
  { prefix, length }: { readonly prefix: string; readonly length: number },
): Uint8Array | undefined {
  const decoded = fromBech32(line);
  return decoded?.prefix === prefix && decoded.bytes.length === length ? decoded.bytes : undefined;
}
