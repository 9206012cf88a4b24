/**
 * What the agent needs from the world, as small interfaces of plain data and bytes. Adapters keep them; the
 * seam (seam.ts) wraps every call, so that tests can stop the agent before and after each effect. Nothing
 * here carries a live object across, so that git and builds can move behind another user.
 */
import type { Holder } from '../shared/cycle/parse-holder.ts';
import type { AgentEvent } from '../shared/event.ts';
import type { Hold } from '../shared/cycle/hold.ts';
import type { BuiltSystem, Generation, Journal } from '../shared/cycle/journal.ts';
import type { Child, Waiting } from '../shared/cycle/phase.ts';
import type { Result } from '../shared/failure.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import type { GitObject } from '../shared/objects/object.ts';
import type { MachineFacts } from '../shared/record/status.ts';

/** Every wait has an end: milliseconds awake, and a signal that ends it sooner. */
export interface Bounds {
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** A program to run: nothing of the agent's own environment reaches it. */
export interface Order {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Bytes of output after which the program is ended. */
  readonly outputCap: number;
  /** Called with the process before the program begins; it begins only once this resolves with `ok`. */
  readonly onStart: (child: Child) => Promise<Result<void>>;
  /** What becomes of processes that outlive the program: a build's are ended, an activation's may be services. */
  readonly leftovers: 'end' | 'leave';
  /** Runs as the user of builds, where there is one (S7); what else that user runs is ended afterwards. */
  readonly isBuild?: boolean;
  /** Takes standard error line by line; standard output is then kept apart. For programs that speak to programs. */
  readonly onLine?: (line: string) => void;
}

/** How a program ended. */
export type Ending =
  | { readonly how: 'exited'; readonly code: number }
  | { readonly how: 'signalled'; readonly signal: string }
  | { readonly how: 'timeout' }
  | { readonly how: 'flooded' }
  | { readonly how: 'aborted' }
  | { readonly how: 'unstartable'; readonly reason: string };

export interface Ran {
  readonly ending: Ending;
  /** The end of what it wrote, both streams together: bounded, control characters stripped. */
  readonly tail: string;
  /** Standard output of a program whose lines were taken. Bounded. */
  readonly stdout?: string;
}

/** Programs other than git, each in a process group of its own that is ended whole. */
export interface Programs {
  run(order: Order, bounds: Bounds): Promise<Ran>;
  /** Ends the process group that a predecessor left behind, if that very process still runs. */
  endLeftover(child: Child): Promise<void>;
}

/** One entry of a verified tree, parents before children. */
export type TreeEntry =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly executable: boolean; readonly bytes: Uint8Array }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** Writes verified trees out; the only way configuration reaches the disk (S5). */
export interface Trees {
  /** An empty directory with these entries, every mtime `seconds` since the epoch; its absolute path. */
  write(entries: AsyncIterable<Result<TreeEntry>>, seconds: number): Promise<Result<string>>;
  remove(): Promise<void>;
}

/** Built systems and numbered generations on disk. */
export interface Systems {
  /** A new, empty directory for a build's `out`; it is never moved afterwards. Removes no system. */
  reserve(): Promise<Result<string>>;
  /** The same for a system in the Nix store: where Nix is to make the link that keeps it; nothing is there yet. */
  reserveRoot(): Promise<Result<string>>;
  /**
   * Removes what is at a place that was reserved and that no generation uses. It is known by its name, for the state
   * folder may have moved; what never was one of ours is left alone.
   */
  discard(path: string): Promise<void>;
  /** Syncs what was built to disk, then says what it is; a failure if it cannot be activated. */
  seal(path: string): Promise<Result<Pick<BuiltSystem, 'path' | 'digest'>>>;
  /** Those that are whole, ascending; a damaged one is none. */
  generations(): Promise<readonly Generation[]>;
  /** Writes `generations/N`, synced. Again with the same number replaces it. */
  register(generation: Generation): Promise<Result<void>>;
  /** Points `current` at a generation, atomically and synced; `null` when there is none to go back to. */
  setCurrent(number: number | null): Promise<Result<void>>;
  /**
   * Removes all generations but these and the current one, and every system that no kept generation uses; no
   * system at all while that of the current or of a kept generation cannot be told (P4).
   */
  prune(keep: readonly number[]): Promise<void>;
}

/** `journal.json`; written to a temporary file, fsynced, renamed, directory fsynced. */
export interface Journals {
  /** `null` when there is none; unreadable is a failure, never the same as absent (P4). */
  load(): Promise<Result<Journal | null>>;
  save(journal: Journal): Promise<Result<void>>;
}

/** `hold.json`: what a person said on the machine. Each call is durable, and works beside a running agent. */
export interface Holds {
  /** `null` when there is none; unreadable is a failure of kind `held`, never the same as absent (P4). */
  load(): Promise<Result<Hold | null>>;
  /** Replaces what is there. */
  save(hold: Hold): Promise<Result<void>>;
  /** Also one that cannot be read; none there is fine. */
  remove(): Promise<Result<void>>;
}

/** A signed state commit that waits for the server, with the pack that carries it. */
export type OutboxEntry = Waiting;

/** `outbox/`: one pack file a record, named by sequence number and commit (S9). */
export interface Outbox {
  add(entry: OutboxEntry, objects: readonly GitObject[]): Promise<Result<void>>;
  /** By sequence number, oldest first. */
  list(): Promise<readonly OutboxEntry[]>;
  /** The entry as a Git pack. */
  pack(entry: OutboxEntry): Promise<Result<Uint8Array>>;
  drop(entry: OutboxEntry): Promise<void>;
}

/** `daemon.lock` and `cycle.lock`: made by link(2), so that a dead holder is recognised. */
export interface Locks {
  /** Waits for a live holder until the bounds end (11). The result releases the lock. */
  acquire(
    name: 'daemon' | 'cycle',
    bounds: Bounds,
    manner?: LockManner,
  ): Promise<Result<() => Promise<void>>>;
}

export interface LockManner {
  /** What is done while it is held, for whoever has to wait. */
  readonly what?: string;
  /** Asked once about each live holder; false when it is not to be waited for. */
  readonly waitsFor?: (holder: Pick<Holder, 'pid' | 'what'>) => boolean;
}

export interface Machine {
  facts(fleet: string): Promise<MachineFacts>;
  /** Whether the file system below `var/lib/autark` has no room left to work with. */
  isFull(): Promise<boolean>;
  /**
   * Whether a system that runs since a moment ago needs a reboot to run whole: it has another kernel than the machine
   * booted, or the distribution says so. `null` when nobody can tell.
   */
  needsReboot(system: Pick<BuiltSystem, 'kind' | 'path'>): Promise<boolean | null>;
}

/** The host's key: signs state commits as namespace `git`. */
export interface Signer {
  /** `TYPE BASE64`, as `fleet.yaml` names it. */
  readonly key: string;
  /** An armoured SSH signature (PROTOCOL.sshsig) over these bytes. */
  sign(payload: Uint8Array): string;
}

/** `agent.yaml`, read anew whenever it is asked for. */
export interface Settings {
  /** `null` when there is none; one that cannot be understood is a failure of kind `agent-config`. */
  load(): Promise<Result<AgentSettings | null>>;
  /**
   * What `load` reads: a file, also one that is not there yet; a link to a file that something else makes; or the copy
   * that counts while a NixOS machine has lost its file.
   */
  origin(): Promise<'file' | 'link' | 'copy'>;
  write(text: string): Promise<Result<void>>;
  /**
   * Names another file as `key`, and leaves all else in `agent.yaml` as it was written. One that is a link is
   * generated from elsewhere, and not ours to change: a failure, as for one that cannot be written.
   */
  setKey(file: string): Promise<Result<void>>;
}

/** A key that opens the way to Git servers and signs nothing. */
export interface TransportKey {
  readonly file: string;
  /** `TYPE BASE64 COMMENT`. */
  readonly publicKey: string;
}

/** The keys that a machine may have as its own. */
export interface HostKeys {
  /** The key to use when nothing names one: the machine's SSH host key, else autark's own; `null` for neither. */
  standard(): Promise<string | null>;
  /** Makes autark's own key, and says where it lies. */
  make(comment: string): Promise<Result<string>>;
  /** A key in a file that a person chose; made there, with its public half beside it, if there is none. */
  at(file: string, comment: string): Promise<Result<Signer>>;
  /** The key in a file; a failure when there is none that this host could use. */
  signer(file: string): Promise<Result<Signer>>;
  /** The key for Git servers over ssh: the one that is there, else a new one. */
  transport(comment: string): Promise<Result<TransportKey>>;
}

export interface Clock {
  /** Milliseconds since the epoch; may be wrong by decades. */
  now(): number;
  /** Milliseconds awake, for durations and deadlines. */
  awake(): number;
}

export interface Random {
  /** 128 random bits as 32 hex digits. */
  id(): string;
  /** In [0, 1). */
  fraction(): number;
}

export type Log = (event: AgentEvent) => void;
