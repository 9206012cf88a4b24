import { hkdfSync } from 'node:crypto';
import type { PrivateKey } from '../../../shared/trust/ssh-key.ts';

/**
 * With what a host makes digests of its values, which everybody may read: derived from its own key (RFC 5869), so that nobody
 * else can try values, and the same after a restart.
 */
export function digestKeyOf({ seed }: Pick<PrivateKey, 'seed'>): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', seed, '', 'autark: digests of secrets', 32));
}
