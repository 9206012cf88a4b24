/**
 * All that is looked at before a step runs. What could not be found out is `null`, or names its cause, and never has a
 * default: missing knowledge refuses (P4, S15).
 */
import type { ObjectId } from '../objects/object.ts';
import type { StepApproval } from './approval.ts';
import type { Signature } from './disk.ts';

/** A step as an authentic revision declares it. */
export interface DeclaredStep {
  readonly name: string;
  /** Object id of `run` in that revision. */
  readonly program: ObjectId | null;
  /** SHA-256 over sorted path, mode and object id of `files`; of none as well. */
  readonly files: string | null;
  /** As written. Empty for a step that cannot reach block devices. */
  readonly destroys: readonly string[];
  /** The file says that a machine before this one has done it (`approve --replace`); `null` when that cannot be told. */
  readonly isInherited: boolean | null;
}

/** Who this machine is, by the revision that is deployed and by its own memory. */
export interface StepHost {
  readonly fleet: string | null;
  readonly name: string | null;
  /** As `fleet.yaml` pins it; a comment does not count. */
  readonly key: string | null;
  readonly genesis: ObjectId | null;
  /** The installation that made that genesis, as the genesis itself says. */
  readonly genesisInstallation: string | null;
  /** This one. */
  readonly installation: string | null;
  /**
   * The newest record of this host, as far as it or the server knows; for a step that is about to run, the one before its
   * intent.
   */
  readonly newest: ObjectId | null;
}

/** One run of a step. It is `started` from the intent on until its result is recorded. */
export interface Run {
  readonly step: string;
  /** `null` when it ran unapproved. */
  readonly approval: string | null;
  readonly outcome: 'started' | 'done' | 'failed';
  readonly program: ObjectId;
}

/** What the sealed ledger says, as far as it could be opened and believed. */
export type LedgerState =
  | 'absent'
  | { readonly unreadable: string }
  | {
      readonly fleet: string | null;
      readonly host: string | null;
      /** The record that holds it: a ledger from an older one may not know of a run. */
      readonly record: ObjectId | null;
      readonly begun: { readonly seq: number; readonly installation: string } | null;
      /** Of all steps, the oldest first: an approval that another step used is used. `null` when it does not say. */
      readonly runs: readonly Run[] | null;
    };

/** Whether this host may run steps at all just now. A trial, a pause, a hold, a file for a newer autark: all are `held`. */
export type StepStanding = 'clear' | { readonly is: 'held' | 'diverged'; readonly cause: string };

/** What every step is judged by. */
export interface StepEvidence {
  /** `null` when the revision declares no such step. */
  readonly step: DeclaredStep | null;
  readonly host: StepHost;
  readonly ledger: LedgerState;
  /** From that same revision; what could not be parsed is none. */
  readonly approval: StepApproval | null;
  readonly standing: StepStanding | null;
}

/** A device, looked at once. */
export type Observation = Observed | { readonly path: string; readonly failed: string };

export interface Observed {
  /** As the step's `destroys` has it. */
  readonly path: string;
  /** The kernel's number of it, such as `8:0`: two names that lead to one disk have the same. */
  readonly device: string | null;
  readonly serial: string | null;
  /** Bytes. */
  readonly size: number | null;
  readonly layout: string | null;
  readonly samples: string | null;
  /** Who uses it or a part of it, in sentences. */
  readonly uses: readonly string[] | null;
  /** Whether it could be opened for nobody else, as a whole. */
  readonly isExclusive: boolean | null;
  readonly looks: 'blank' | 'data' | 'encrypted?' | null;
  /** What a sweep found beside the signatures in the usual places. */
  readonly found: readonly Signature[] | null;
  /** When the look at it began: milliseconds of a clock that only goes forward. */
  readonly at: number | null;
}

/** The metadata of a device, kept where it outlives the device (S17). Of a blank one too: then it says that it was. */
export interface KeptBackup {
  readonly path: string;
  /** What the device's layout was when it was taken: metadata of another layout would bring nothing back. */
  readonly layout: string | null;
  /** The record that holds it, below the intent. */
  readonly record: ObjectId | null;
}

/** That the step is about to run, committed before it does. Made by this process: one that is found is an interruption. */
export interface Intent {
  readonly approval: string | null;
  readonly program: ObjectId | null;
  /** The record that it follows: nothing was recorded between the ledger that was read and this. */
  readonly after: ObjectId | null;
  readonly commit: ObjectId | null;
  /** Where the server says that this host's branch is, asked after the push. */
  readonly tip: ObjectId | null;
  /** When it said so, by the clock of the observations. */
  readonly readAt: number | null;
}

/** What a step that destroys is judged by, immediately before it runs. */
export interface DestroyEvidence extends StepEvidence {
  /** One for each device that the step destroys; the ledger is as it was before the intent. */
  readonly devices: readonly Observation[] | null;
  readonly backups: readonly KeptBackup[] | null;
  readonly intent: Intent | null;
  /** By the clock of the observations. */
  readonly now: number | null;
}
