import type { ObjectId } from '../objects/object.ts';

/** What a state commit says happened. */
export const stateEvents = [
  'enrolled',
  'deployed',
  'unchanged',
  'failed',
  'rolled-back',
  'held',
  'resumed',
  'secrets',
  'step-started',
  'step-done',
  'step-failed',
  'backup',
  'rebooted',
  'drifted',
  'testing',
  'restored',
  'paused',
  'retired',
  'alive',
] as const;
export type StateEvent = (typeof stateEvents)[number];

/** The machine as its status shows it: nothing that identifies it to outsiders (serials are sealed). */
export interface MachineFacts {
  /** The machine-id, hashed together with the fleet's id. */
  readonly id: string;
  /** The kernel's random boot id. */
  readonly boot: string;
  readonly os: string;
  readonly kernel: string;
  readonly cpu: string;
  /** Bytes. */
  readonly memory: number;
  readonly disks: readonly { readonly model: string; readonly size: number }[];
}

/** The system that runs. */
export interface RunningSystem {
  readonly kind: 'nixos' | 'exec';
  readonly path: string;
  readonly generation: number;
  readonly revision: ObjectId;
  /** RFC 3339, UTC: when it was activated. */
  readonly since: string;
  /** Only being tested: the machine boots something else. */
  readonly testing?: boolean;
}

/** How the cycle that this status records ended. */
export interface Outcome {
  readonly event: StateEvent;
  readonly code: number;
  readonly attempted?: ObjectId;
  /** The stage that failed or held. */
  readonly phase?: string;
  readonly message?: string;
  readonly remedy?: string;
  /** Seconds by stage. */
  readonly seconds?: Readonly<Record<string, number>>;
}

/**
 * `status.json` in a state commit, format 1: the signed, readable part of a host's state. All times are
 * RFC 3339 in UTC. Readers ignore keys that they do not know.
 */
export interface Status {
  readonly format: 1;
  readonly fleet: string;
  readonly host: string;
  /** The genesis is 0; every later record is one more than its first parent. */
  readonly seq: number;
  readonly at: string;
  readonly agent: { readonly version: string };
  readonly installation: string;
  readonly machine: MachineFacts;
  readonly accepted: ObjectId | null;
  readonly head: ObjectId | null;
  readonly system: RunningSystem | null;
  readonly outcome: Outcome;
  readonly rebootRequired: boolean;
  /** When the next commit is promised at the latest; absent when the host may be silent. */
  readonly next?: string;
  /** What this host cannot promise. */
  readonly guarantees: readonly string[];
  /** What this host noticed about its own state branch since the record before; at most `mostReports`. */
  readonly reports?: readonly string[];
  /** By name, a digest of the value that only the host itself can make; absent when it has none. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Those that could not be opened. */
  readonly missingSecrets?: readonly string[];
  /** What was changed by hand and still is, in sentences; absent when nothing is. */
  readonly drift?: readonly string[];
}

/** What else is noticed before a record could say it is in the log alone. */
export const mostReports = 8;
