/**
 * Sealing and opening (age-encryption.org/v1), for people's clones and for hosts; and where a host keeps and places
 * its secrets.
 */
import type { Result } from '../shared/failure.ts';
import type { Held, SealedSecret } from '../shared/secrets/secret.ts';

export interface Sealer {
  /**
   * An armoured age file that exactly these open.
   * @param recipients `ssh-ed25519 BASE64`, `age1…` or `age1pq1…`, without comments; at least one
   */
  seal(value: Uint8Array, recipients: readonly string[]): Promise<Result<string>>;
}

/** Keys of a person, or of a host. */
export interface Opener {
  /**
   * The value in an age file, binary or armoured.
   * @param where what the file is called in a failure, such as `secrets/db-password.age`
   */
  open(sealed: Uint8Array, where: string): Promise<Result<Uint8Array>>;
}

/** What a boot needs, before there is a network, and without Git. */
export interface BootSecrets {
  readonly store: SecretStore;
  /** Whether the host's key can be read; without it the store opens nothing, and each secret says why. */
  readonly key: Result<unknown>;
  /**
   * The id of the set that goes with the current generation, or with the one whose system this is; `null` when that has none, or
   * there is no generation.
   * @param system what boots, or a link to it
   */
  wanted(system?: string): Promise<Result<string | null>>;
  /** Waits for whoever acts on this machine, an agent that switches it for example; the result lets others act. */
  lock(signal: AbortSignal): Promise<Result<() => Promise<void>>>;
}

/** What a host holds: a set is all its secrets of one revision, with their declarations. */
export interface SecretSet {
  /** SHA-256 in hex over names, declarations and values: equal ids mean that nothing need be done. */
  readonly id: string;
  readonly held: readonly Held[];
}

/** What placing a set did. */
export interface Placed {
  /** The secrets that have no value from their own file: each with the cause. The last good value stays, if there is one. */
  readonly missing: readonly Extract<Held, { cause: string }>[];
  /** What else went wrong with one of them, such as an owner that does not exist yet, in sentences. */
  readonly problems: readonly string[];
}

/** `var/lib/autark/secrets` and `run/autark`: what a host keeps sealed, and what it shows in the clear (S13, S14). */
export interface SecretStore {
  /**
   * Opens what a revision holds for this host and keeps it sealed, durably, under its id; values are in memory only.
   * `null` when the revision has no secret for it. One that cannot be opened is part of the set, with its cause.
   */
  keep(secrets: readonly SealedSecret[]): Promise<Result<SecretSet | null>>;
  /** What was kept under an id; a failure when it is gone or damaged. */
  kept(id: string): Promise<Result<SecretSet>>;
  /** The id of the set that is placed; `null` when none is, in this boot, or one of its values is not as it was placed. */
  placed(): Promise<string | null>;
  /** Whether it was decided in this boot what is placed: a set, or nothing. */
  isDecided(): Promise<boolean>;
  /**
   * Places a set beside the one that is there, swaps them in one step, makes the declared links, and removes every file and
   * link that it does not declare; `null` removes all. The units of values that changed are noted for `tellUnits`. As
   * often as it is called; safe to be cut off anywhere.
   */
  place(id: string | null): Promise<Result<Placed>>;
  /**
   * Gives files owners that did not exist when they were placed, and makes the declared links that are not there. What is
   * left of that, in sentences. Where all is well it changes nothing.
   */
  mend(): Promise<readonly string[]>;
  /** Whether there is something for `mend` to do. */
  owesMending(): Promise<boolean>;
  /** Whether a unit has yet to be told, because whoever placed a set could not, or was cut off. */
  owesTelling(): Promise<boolean>;
  /**
   * Restarts and reloads what was noted, each once, and what runs alone; one that was started after its value was placed
   * is spared. Fails when a unit is unknown to this machine, and names it; the others are told all the same.
   */
  tellUnits(): Promise<Result<void>>;
  /** Seals every kept set to these keys alone, so that a host with a new key opens what its old one could. */
  sealAnew(recipients: readonly string[]): Promise<Result<void>>;
  /** Removes all kept sets but these. */
  prune(ids: readonly string[]): Promise<void>;
}
