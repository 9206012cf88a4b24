import type { Result } from '../shared/failure.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import type { Clock, HostKeys, Locks, Log, Random, Settings } from './ports.ts';
import type { Effects, Perform, Senses } from './seam.ts';

/** The machine under one root, as the daemon and `enroll` find it before its settings are known. */
export interface AgentHost {
  readonly version: string;
  /** The absolute folder below which this host's paths lie; `/` on a real machine. */
  readonly root: string;
  readonly guarantees: readonly string[];
  readonly perform: Perform;
  readonly settings: Settings;
  readonly keys: HostKeys;
  readonly locks: Locks;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What depends on the settings: the Git directory and its server, and the host's key. */
  open(settings: AgentSettings): Promise<Result<OpenedHost>>;
  /** Calls back when `agent.yaml` changed. The result ends the watching. */
  watchSettings(onChange: () => void): Promise<() => Promise<void>>;
  /** Calls back when a remote on this machine changed; any other is not watched. */
  watchRemote(settings: AgentSettings, onChange: () => void): Promise<() => Promise<void>>;
}

export interface OpenedHost {
  readonly effects: Effects;
  readonly senses: Senses;
  close(): Promise<void>;
}
