import type { Identity, Recipient, Stanza } from 'age-encryption';
import { ephemeralScalar, privateScalar, sharedSecret, type PrivateScalar } from './curve.ts';
import { fromUnpadded, stanza, toUnpadded, unwrap, wrap } from './file-key.ts';

const label = 'age-encryption.org/v1/X25519';

/**
 * `age1…`.
 * @returns `undefined` for a point of low order, which keeps no secret
 */
export function x25519Recipient(recipient: Uint8Array): Recipient | undefined {
  if (sharedSecret(ephemeralScalar(), recipient) === undefined) return undefined;
  return {
    wrapFileKey: async (fileKey) => {
      const ephemeral = ephemeralScalar();
      const secret = sharedSecret(ephemeral, recipient);
      if (secret === undefined) throw new Error('a point that was good is of low order now');
      const share = ephemeral.publicKey;
      return [
        await stanza(['X25519', toUnpadded(share)], wrap(fileKey, { secret, share, recipient, label })),
      ];
    },
  };
}

/** `AGE-SECRET-KEY-1…`, and an SSH key as ssh-to-age converts it. */
export function x25519Identity(scalar: Uint8Array): Identity {
  const own = privateScalar(scalar);
  return { unwrapFileKey: (stanzas) => unwrapX25519(own, stanzas) };
}

/** Nothing in such a stanza says whose it is: all are tried. A malformed one is another's affair. */
export function unwrapX25519(own: PrivateScalar, stanzas: readonly Stanza[]): Uint8Array | null {
  for (const { args, body } of stanzas) {
    const [type, text = ''] = args;
    const share = type === 'X25519' && args.length === 2 ? fromUnpadded(text) : undefined;
    const secret = share === undefined ? undefined : sharedSecret(own, share);
    if (share === undefined || secret === undefined) continue;
    const fileKey = unwrap(body, { secret, share, recipient: own.publicKey, label });
    if (fileKey !== undefined) return fileKey;
  }
  return null;
}
