import { createHash } from 'node:crypto';
import type { AgentSettings } from '../fleet/fleet.ts';

/**
 * A digest of what an agent's findings rest on besides the revision: once one of these changes, what it found under
 * the others is looked at again.
 */
export function basisOf(settings: AgentSettings, key: string, version: string): string {
  return createHash('sha256')
    .update(JSON.stringify([settings, key, version]))
    .digest('hex')
    .slice(0, 16);
}
