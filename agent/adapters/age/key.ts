import type { Identity, Stanza } from 'age-encryption';
import type { Result } from '../../../shared/failure.ts';

/**
 * A key that opens: an identity as age-encryption sees one, a post-quantum one in its own words, which that package
 * alone knows, or one that is locked.
 */
export type Key = Identity | `AGE-SECRET-KEY-PQ-1${string}` | LockedIdentity;

/** Nobody is asked for a passphrase unless there is something that may be sealed to the key. */
export interface LockedIdentity {
  /** `null`: nothing here is for it. */
  unlockFor(stanzas: readonly Stanza[]): Promise<Result<Identity | null>>;
}
