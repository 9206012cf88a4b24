/**
 * The single file that is the agent of this machine, in any number of versions below its state, and the two links by
 * which it is called: FILE, which people and units know, leads to `current`, and that to a version. To move `current` is
 * to change the agent, and needs nothing outside of `var/lib/autark`.
 */
import type { Result } from '../shared/failure.ts';

export interface AgentFiles {
  /** The running program's own bytes; `null` when it is not a single file. */
  own(): Promise<Result<Uint8Array | null>>;
  /** Keeps a version, durably and as often as it is called: its digest, SHA-256 in hex. It is not current by that. */
  place(bytes: Uint8Array): Promise<Result<string>>;
  /** Which version is called from now on; one that was placed. Durable. */
  setCurrent(digest: string): Promise<Result<void>>;
  /** `null` when there is none. */
  current(): Promise<Result<string | null>>;
  /**
   * Whether `link` may be called. Fails with `usage` for a FILE that is a stranger's, one whose folder is missing, and
   * a second one.
   * @param bytes a file with this content is a copy of the program and no stranger's
   */
  mayLink(file: string, bytes: Uint8Array): Promise<Result<void>>;
  /** The version that runs right now; `null` when what runs is none of them. */
  running(): Promise<string | null>;
  /** Whether a version is there, to be made current. */
  has(digest: string): Promise<boolean>;
  /** Removes every version but these, the one that runs and the current one. */
  prune(keep: readonly string[]): Promise<void>;
  /** Makes FILE, an absolute path, a link to `current`, and remembers it; replaces what is there. Durable. */
  link(file: string): Promise<Result<void>>;
  /** The FILE that was last linked, whether it is there or not. */
  linked(): Promise<Result<string | null>>;
  /** Removes FILE if it still is that link, and forgets it: whether there is none now. All versions stay, and `current`. */
  unlink(): Promise<Result<boolean>>;
}

/** The service of a configuration that began this agent, as the module for NixOS declares it. */
export interface AgentUnit {
  /**
   * Whether that service would begin another program by now; false for an agent that no configuration began. Fails with
   * `unexpected` where another is named and systemd does not say what it would begin.
   */
  isReplaced(): Promise<Result<boolean>>;
}

/** The current version beside the agent that runs, which is another one. */
export interface NextAgent {
  /** Whether whoever started this agent starts the current version once this one has ended. */
  readonly isBegunByManager: boolean;
  /**
   * Runs the current version in this one's place, with this one's input, output and signals.
   * @param args after the program's name
   * @param timeout milliseconds after which it is ended; `null` for none
   * @returns its exit code, as a shell says it; 1 when it could not be started
   */
  run(args: readonly string[], timeout: number | null, signal: AbortSignal): Promise<number>;
}
