import { basisOf } from '../shared/cycle/basis.ts';
import type { HeldByHand } from '../shared/cycle/hold.ts';
import { fail, ok, type Result } from '../shared/failure.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import { startStopwatch, type Context } from './context.ts';
import type { AgentHost, OpenedHost } from './host.ts';
import type { Memory } from './memory.ts';
import { through } from './seam.ts';

/** A machine that is open for one cycle, or for what a person does to it by hand. */
export interface Opening {
  readonly host: AgentHost;
  readonly settings: AgentSettings;
  /** Not yet behind the seam. */
  readonly opened: OpenedHost;
  readonly signal: AbortSignal;
}

/** What its cycle walks with. */
export function contextOf(
  { host, settings, opened, signal }: Opening,
  memory: Memory,
  byHand: HeldByHand | null,
): Context {
  const { effects, senses } = opened;
  const { key } = senses.signer;
  return {
    settings,
    version: host.version,
    root: host.root,
    guarantees: host.guarantees,
    byHand,
    under: basisOf({ settings, key, version: host.version, byHand }),
    effects: (stage) => through(host.perform, stage, effects),
    senses,
    memory,
    sight: { isSaid: false },
    signal,
    stopwatch: startStopwatch(() => senses.clock.awake()),
  };
}

/** `agent.yaml`, without which a machine is no host. */
export async function settingsOf({ settings }: AgentHost): Promise<Result<AgentSettings>> {
  const loaded = await settings.load();
  if (!loaded.ok) return loaded;
  return loaded.value === null ? fail(notEnrolled) : ok(loaded.value);
}

export const notEnrolled = {
  kind: 'agent-config',
  cause: 'this machine is not enrolled: there is no agent.yaml',
  where: 'etc/autark/agent.yaml',
  remedy: 'run `autark enroll --remote URL --host NAME` first',
} as const;
