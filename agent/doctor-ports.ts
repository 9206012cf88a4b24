/**
 * What `doctor` looks at. Every method only reads, takes no lock, and answers or gives up within its own bounds; plain
 * data, as in ports.ts. What cannot be found out is `null` or a failure, never a guess.
 */
import type { Journal } from '../shared/cycle/journal.ts';
import type { ClockFacts } from '../shared/doctor/clock.ts';
import type { HookFacts } from '../shared/doctor/clone.ts';
import type { DaemonFacts, UserFacts } from '../shared/doctor/host-state.ts';
import type { NixFacts } from '../shared/doctor/machine.ts';
import type { Kept, PersistenceFacts } from '../shared/doctor/persistence.ts';
import type { Seen } from '../shared/doctor/remote.ts';
import type { Space, Unasked } from '../shared/doctor/space.ts';
import type { UnitFacts } from '../shared/doctor/units.ts';
import type { Result } from '../shared/failure.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import type { Paths } from '../shared/paths.ts';
import type { Address } from '../shared/scale/forges.ts';
import type { Clone } from './clone-ports.ts';

/** A server that was asked for its branches, and what it is called. */
export interface Reached {
  /** Without credentials. */
  readonly where: string;
  readonly seen: Result<Seen>;
}

/** A place whose file system shall have this many bytes left. */
export type Room = Pick<Space, 'what' | 'path' | 'least'>;

/** A host below one root. */
export interface HostProbe {
  readonly paths: Paths;
  settings(): Promise<Result<AgentSettings | null>>;
  journal(): Promise<Result<Journal | null>>;
  user(): Promise<UserFacts>;
  /** The file that holds the host's key under these settings, and the key, `TYPE BASE64`. */
  key(settings: AgentSettings | null): Promise<{ readonly file: string; readonly key: Result<string> }>;
  /**
   * Objects of the agent's own Git directory by id, or by `COMMIT:path`; `null` for what is not there. Their bytes are
   * not hashed: they are shown to a person, and nothing is decided by them.
   */
  objects(names: readonly string[]): Promise<readonly (Uint8Array | null)[]>;
  /** Asks `remote`, and `stateRemote` where there is one, as the agent would. */
  remote(settings: AgentSettings, which: 'remote' | 'stateRemote', signal: AbortSignal): Promise<Reached>;
  /** The http server's clock beside this one. */
  serverClock(settings: AgentSettings, signal: AbortSignal): Promise<ClockFacts['server']>;
  isSynchronised(signal: AbortSignal): Promise<boolean | null>;
  space(rooms: readonly Room[]): Promise<readonly (Space | Unasked)[]>;
  persistence(kept: readonly Omit<Kept, 'real'>[]): Promise<PersistenceFacts>;
  /** The machine id, and the file that was looked at last. */
  machineId(): Promise<{ readonly text: string | null; readonly where: string }>;
  units(unit: string, signal: AbortSignal): Promise<UnitFacts>;
  daemon(): Promise<DaemonFacts>;
  nix(signal: AbortSignal): Promise<Pick<NixFacts, 'version' | 'problem'>>;
  address(remote: string): Address;
}

/** A person's clone, beside what its own port has. */
export interface CloneProbe {
  readonly clone: Clone;
  /** git's configuration as it stands for this clone; keys in lower case. */
  readonly config: ReadonlyMap<string, string>;
  /** The key that signs here, `TYPE BASE64`. */
  key(): Promise<Result<string>>;
  /** What `git version` prints. */
  gitVersion(signal: AbortSignal): Promise<string | null>;
  hook(): Promise<HookFacts>;
  /** Asks the remote for its branch and fetches nothing; nobody can be asked for a passphrase. `null`: no remote. */
  remote(signal: AbortSignal): Promise<Reached | null>;
  /** Where the configuration is fetched from and records are pushed to; `null` without a remote. */
  readonly addresses: { readonly fetched: Address; readonly pushed: Address } | null;
}
