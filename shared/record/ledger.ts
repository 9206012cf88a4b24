import type { Disk } from '../disk/disk.ts';
import type { ExaminedDevice, StepRun } from './step-run.ts';

/**
 * `ledger.age` in a state commit, format 1: JSON, sealed to the host and the fleet's readers. Readers of it keep what they
 * do not know, and write it back: an older agent must not make a newer one forget.
 */
export interface Ledger {
  readonly format: 1;
  readonly fleet: string;
  readonly host: string;
  /**
   * To whom it is sealed, without comments, sorted: `ssh-ed25519 BASE64`, `age1…` or `age1pq1…`. Once they change it is
   * sealed anew, although it says the same.
   */
  readonly readers: readonly string[];
  /**
   * The record with which it began, and the installation that began it. Only one that began with the host's first record
   * covers everything that the host ever did (S15).
   */
  readonly begun: { readonly seq: number; readonly installation: string };
  /** As they were found last. */
  readonly disks: readonly Disk[];
  /**
   * By name, what lies beside it in `backups/`. One that was not found any more stays: a disk that died is when it is
   * needed.
   */
  readonly backups: Readonly<Record<string, KeptBackup>>;
  /** Of all steps, oldest first, and never shortened; absent while none ever ran, as no agent without this key runs any. */
  readonly runs?: readonly StepRun[];
  /** By path, as a step's `destroys` has it; of steps that wait for an approval or just ran. */
  readonly examined?: Readonly<Record<string, ExaminedDevice>>;
}

export interface KeptBackup {
  /** Of the content, in hex: whoever finds the same need not seal it again. */
  readonly sha256: string;
  /** RFC 3339, UTC: when it was found to be like this. */
  readonly taken: string;
  /** The disk that it is of, where its name does not say that. */
  readonly of?: string;
}
