import { createHash } from 'node:crypto';
import type { AgentSettings } from '../fleet/fleet.ts';
import type { HeldByHand } from './hold.ts';

/** What an agent's findings rest on besides the revision. */
export interface Grounds {
  readonly settings: AgentSettings;
  /** The host's public key. */
  readonly key: string;
  readonly version: string;
  readonly byHand: HeldByHand | null;
}

/**
 * A digest of these: once one of them changes, what was found under the others is looked at again. So a hold by hand
 * that begins, changes or ends needs no further rule.
 */
export function basisOf({ settings, key, version, byHand }: Grounds): string {
  const hold = byHand === null ? [] : [byHand.failure.cause, byHand.until ?? null];
  return createHash('sha256')
    .update(JSON.stringify([settings, key, version, ...hold]))
    .digest('hex')
    .slice(0, 16);
}
