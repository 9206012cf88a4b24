import type { Fleet } from '../fleet/fleet.ts';
import type { Pinned } from './tip.ts';

/** What a revision pins for a host; `null` when it does not name it, or nobody has approved it. */
export function pinnedIn({ fleet, hosts }: Fleet, name: string): Pinned | null {
  const host = hosts.get(name);
  if (host?.key === undefined) return null;
  const { key, genesis } = host;
  return { fleet, host: name, key, ...(genesis === undefined ? {} : { genesis }) };
}
