import type { HostState, HostView } from './host-state.ts';

const bits: Partial<Readonly<Record<HostState, number>>> = { failed: 1, silent: 4, held: 16, paused: 16 };

/** What `autark status` exits with: 1 failed, 2 behind, 4 silent, 8 not verified, 16 held or paused. */
export function exitMask(hosts: readonly HostView[]): number {
  return hosts.reduce((mask, view) => mask | bitsOf(view), 0);
}

function bitsOf(view: HostView): number {
  if (view.state === 'retired' || view.state === 'unapproved') return 0;
  const behind = view.state === 'building' || (view.behind ?? 0) > 0 ? 2 : 0;
  const unverified = view.verified || view.state === 'silent' ? 0 : 8;
  return (bits[view.state] ?? 0) | behind | unverified;
}
