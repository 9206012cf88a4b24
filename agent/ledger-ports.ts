/** The sealed part of a host's state, as its next record has it: `var/lib/autark/state`. */
import type { Backup } from '../shared/disk/backup.ts';
import type { Result } from '../shared/failure.ts';
import type { ObjectId } from '../shared/objects/object.ts';
import type { Ledger } from '../shared/record/ledger.ts';
import type { SealedFiles } from '../shared/record/state-commit.ts';

export interface Ledgers {
  /**
   * The ledger, opened; `null` when this host has none. One that cannot be read, or is another host's, is a failure, never
   * the same as none (P4).
   */
  load(whose: Pick<Ledger, 'fleet' | 'host'>): Promise<Result<Ledger | null>>;
  /** Opens the ledger of a record; a failure when this host cannot, or it is another host's. */
  open(sealed: Uint8Array, whose: Pick<Ledger, 'fleet' | 'host'>): Promise<Result<Ledger>>;
  /**
   * Seals a ledger and these backups to the ledger's readers, durably, the ledger last. What it does not name goes. When
   * the readers are others than before, all else is sealed anew as well.
   */
  keep(ledger: Ledger, backups: readonly Backup[], before: Ledger | null): Promise<Result<void>>;
  /** Seals what is kept to these, whatever the ledger says: before this host has another key. */
  sealAnew(recipients: readonly string[]): Promise<Result<void>>;
  /** By path in a state commit, the object ids of what is kept. */
  ids(): Promise<Result<Readonly<Record<string, ObjectId>>>>;
  /** The bytes of one that is kept; `null` when it is not there, or has another id. */
  read(path: string, id: ObjectId): Promise<Result<Uint8Array | null>>;
  /** Replaces what is kept by what a record has; a failure, and nothing was done, when the host cannot open it. */
  take(files: SealedFiles, whose: Pick<Ledger, 'fleet' | 'host'>): Promise<Result<void>>;
}
