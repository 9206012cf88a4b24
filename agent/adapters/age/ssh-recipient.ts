import type { Recipient } from 'age-encryption';
import { createHash, hkdfSync } from 'node:crypto';
import { toMontgomery } from '../../../shared/secrets/montgomery.ts';
import { ephemeralScalar, privateScalar, sharedSecret, type PrivateScalar } from './curve.ts';
import { stanza, toUnpadded, wrap } from './file-key.ts';

export const sshStanza = 'ssh-ed25519';
export const sshLabel = 'age-encryption.org/v1/ssh-ed25519';

/**
 * An SSH key of type Ed25519 as a recipient of its own kind, as `age -R` takes it.
 * @returns `undefined` for a key whose private half nobody can have
 */
export function sshRecipient({ point, blob }: Pair): Recipient | undefined {
  const recipient = toMontgomery(point);
  if (recipient === undefined) return undefined;
  const tag = tagOf(blob);
  const label = sshLabel;
  // Multiplications commute: the tweak, which is always the same, goes first, and once.
  const tweaked = sharedSecret(tweakOf(blob), recipient);
  if (tweaked === undefined) return undefined;
  return {
    wrapFileKey: async (fileKey) => {
      const ephemeral = ephemeralScalar();
      const secret = sharedSecret(ephemeral, tweaked);
      if (secret === undefined) throw new Error('a point that was good is of low order now');
      const share = ephemeral.publicKey;
      const args = [sshStanza, tag, toUnpadded(share)];
      return [await stanza(args, wrap(fileKey, { secret, share, recipient, label }))];
    },
  };
}

interface Pair {
  readonly point: Uint8Array;
  readonly blob: Uint8Array;
}

/** By which a key finds what may be sealed to it: 32 bits of its digest, so two keys may share one. */
export function tagOf(blob: Uint8Array): string {
  return toUnpadded(createHash('sha256').update(blob).digest().subarray(0, 4));
}

/** Binds the secret to the SSH key, apart from the same curve point used as `age1…`. */
export function tweakOf(blob: Uint8Array): PrivateScalar {
  return privateScalar(new Uint8Array(hkdfSync('sha256', new Uint8Array(0), blob, sshLabel, 32)));
}
