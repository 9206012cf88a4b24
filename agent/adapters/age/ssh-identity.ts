import type { Identity, Stanza } from 'age-encryption';
import type { PrivateKey } from '../../../shared/trust/ssh-key.ts';
import { privateScalar, scalarOf, sharedSecret, type PrivateScalar } from './curve.ts';
import { fromUnpadded, unwrap } from './file-key.ts';
import { sshLabel, sshStanza, tagOf, tweakOf } from './ssh-recipient.ts';
import { unwrapX25519 } from './x25519.ts';

/**
 * An SSH key of type Ed25519: what is sealed to it, or to the `age1…` that ssh-to-age makes of it.
 * Throws, as an identity may, for a file that says to be sealed to it and is not.
 */
export function sshIdentity({ seed, publicBlob }: Pick<PrivateKey, 'seed' | 'publicBlob'>): Identity {
  const own = privateScalar(scalarOf(seed));
  const tweak = tweakOf(publicBlob);
  return {
    unwrapFileKey: (stanzas) => {
      const mine = stanzas.filter((stanza) => isFor(publicBlob, stanza));
      const fileKey = unwrapSsh(own, tweak, mine) ?? unwrapX25519(own, stanzas);
      if (fileKey === null && mine.length > 0) throw new Error('what is sealed to this key was changed');
      return fileKey;
    },
  };
}

/** Whether the tag is this key's; another key may have the same. */
export function isFor(blob: Uint8Array, { args }: Stanza): boolean {
  return args.length === 3 && args[0] === sshStanza && args[1] === tagOf(blob);
}

function unwrapSsh(
  own: PrivateScalar,
  tweak: PrivateScalar,
  stanzas: readonly Stanza[],
): Uint8Array | undefined {
  for (const { args, body } of stanzas) {
    const share = fromUnpadded(args[2] ?? '');
    const untweaked = share === undefined ? undefined : sharedSecret(own, share);
    const secret = untweaked === undefined ? undefined : sharedSecret(tweak, untweaked);
    if (share === undefined || secret === undefined) continue;
    const fileKey = unwrap(body, { secret, share, recipient: own.publicKey, label: sshLabel });
    if (fileKey !== undefined) return fileKey;
  }
  return undefined;
}
