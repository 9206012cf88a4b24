import type { Failure } from '../failure.ts';

/** What a NixOS system says of itself, read from its files. */
export interface SystemFacts {
  /** Why it cannot be activated at all, as a clause; `null` when nothing stands in the way. */
  readonly flaw: string | null;
  /** Whether it contains the agent's own unit. */
  readonly hasAgent: boolean;
  /**
   * `switch-inhibitors`: names of what must not change under a running system, with the version of each (nixpkgs,
   * nixos/modules/system/activation/switchable-system.nix); empty when it has none.
   */
  readonly inhibitors: Readonly<Record<string, string>>;
}

/** The unit without which a host that switched would never hear of Git again. */
export const agentUnit = 'autark.service';

/** Why a built system is not activated; `undefined` when nothing is wrong with it. */
export function systemProblem({ flaw, hasAgent }: SystemFacts, path: string): Failure | undefined {
  if (flaw !== null) {
    return {
      kind: 'build-failed',
      cause: `the build yielded no system that can be activated: ${flaw}`,
      where: path,
      remedy: 'build a NixOS system with `system.switch.enable` left on, and push; the old system runs on',
    };
  }
  if (hasAgent) return undefined;
  return {
    kind: 'held',
    cause: `the system does not contain the agent's own unit ${agentUnit}, so it would orphan this machine`,
    where: `${path}/etc/systemd/system/${agentUnit}`,
    remedy: `declare the unit in the host's configuration and push; the old system runs on`,
  };
}

/**
 * What keeps a system from being switched to while another runs: those inhibitors that both have and that differ,
 * just as NixOS itself compares them before a switch. Empty when it may be switched live.
 */
export function changedInhibitors(from: SystemFacts | null, to: SystemFacts): readonly string[] {
  const before = from?.inhibitors ?? {};
  return Object.keys(to.inhibitors)
    .filter((name) => Object.hasOwn(before, name) && before[name] !== to.inhibitors[name])
    .sort();
}

/** Reads `switch-inhibitors`; `null` when it is there and cannot be understood: then nothing may be taken for granted. */
export function parseInhibitors(text: string): Readonly<Record<string, string>> | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    return Object.fromEntries(
      Object.entries(value).map(([name, version]) => [name, JSON.stringify(version)]),
    );
  } catch {
    return null;
  }
}
