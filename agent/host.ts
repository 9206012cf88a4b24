import type { Result } from '../shared/failure.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import type { Clock, Holds, HostKeys, Journals, Locks, Log, Random, Settings } from './ports.ts';
import type { AgentFiles, AgentUnit, NextAgent } from './program-ports.ts';
import type { Services } from './unit-ports.ts';
import { through, type Effects, type Perform, type Senses } from './seam.ts';

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
  /** Both are there also when the settings are no good: a person may have to hold the machine just then. */
  readonly journals: Journals;
  readonly holds: Holds;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly services: Services;
  readonly agentFiles: AgentFiles;
  readonly agentUnit: AgentUnit;
  readonly nextAgent: NextAgent;
  /** Whoever started the agent, and wants to know how it is. */
  readonly manager: { ready(signal: AbortSignal): Promise<void> };
  /** What depends on the settings: the Git directory and its server, and the host's key. */
  open(settings: AgentSettings, access?: HostAccess): Promise<Result<OpenedHost>>;
  /** Calls back when a person changed `agent.yaml` or `hold.json`. The result ends the watching. */
  watchFiles(onChange: () => void): Promise<() => Promise<void>>;
  /** Calls back when a remote on this machine changed; any other is not watched. */
  watchRemote(settings: AgentSettings, onChange: () => void): Promise<() => Promise<void>>;
  /** Calls back when somebody, also the agent itself, switched this machine to another system. */
  watchLinks(settings: AgentSettings, onChange: () => void): Promise<() => Promise<void>>;
}

export interface HostAccess {
  /** Beside an agent that may be running: its gits are nobody's leftovers. Only reads the Git directory then. */
  readonly isGuest: boolean;
}

export interface OpenedHost {
  readonly effects: Effects;
  readonly senses: Senses;
  close(): Promise<void>;
}

/** Works with the machine once its settings are known, and closes it whatever happens; effects go through the seam. */
export async function whileOpen<Value>(
  host: AgentHost,
  settings: AgentSettings,
  work: (opened: OpenedHost) => Promise<Result<Value>>,
  access?: HostAccess,
): Promise<Result<Value>> {
  const opened = await host.open(settings, access);
  if (!opened.ok) return opened;
  try {
    return await work({ ...opened.value, effects: through(host.perform, 'record', opened.value.effects) });
  } finally {
    await opened.value.close();
  }
}

/** What an agent does that does not end by itself. */
export const stays = 'autark agent';

/** Milliseconds awake that whoever is at work here and ends by itself is waited for. */
const patience = 120_000;

/**
 * Works alone in this root: an agent works in the same Git directory. One that stays is not waited for (11); one cycle,
 * such as a timer begins, or another verb is, with a word about it.
 */
export async function alone<Value>(
  { locks, log }: AgentHost,
  signal: AbortSignal,
  work: () => Promise<Result<Value>>,
): Promise<Result<Value>> {
  const waitsFor = ({ pid, what }: { readonly pid: number; readonly what: string }): boolean => {
    if (what === stays) return false;
    const message = `process ${pid} (${what}) is at work here: waiting for it, for ${patience / 60_000} minutes at most`;
    log({ kind: 'warning', host: '-', message });
    return true;
  };
  const unlock = await locks.acquire('daemon', { timeout: patience, signal }, { waitsFor });
  if (!unlock.ok) return unlock;
  try {
    return await work();
  } finally {
    await unlock.value();
  }
}
