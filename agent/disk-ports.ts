/** What a host finds out about its disks. Nothing here writes to one. */
import type { Backup } from '../shared/disk/backup.ts';
import type { Disk } from '../shared/disk/disk.ts';
import type { Examination } from '../shared/disk/examination.ts';
import type { Result } from '../shared/failure.ts';
import type { Bounds } from './ports.ts';

export interface Disks {
  /**
   * A digest that is another one when disks, partitions, RAID, volume groups or file systems were made, changed or
   * removed, from a few small files alone: whoever finds the same need not look further.
   */
  glance(): Promise<string>;
  /**
   * All whole disks, by name, each as far as it could be looked at; without loop, RAM and optical devices and what is made
   * of others. A machine that shows none (a container) has an empty list, which is no failure.
   */
  inventory(bounds: Bounds): Promise<Result<readonly Disk[]>>;
  /**
   * One whole disk, looked at closely (S16): what is said of it was true a moment ago, of the very device that `device` led to
   * before and after. Fails when anything about it could not be found out, a sector read, or the path is no whole disk's.
   * @param device a path that stays the same over boots, such as `/dev/disk/by-id/…`
   */
  examine(device: string, bounds: Bounds): Promise<Result<Examination>>;
  /**
   * The metadata that is needed to bring a layout back, by name. One program that fails does not keep the others from
   * being taken: it is named in `problems`.
   */
  backups(wanted: WantedBackups, bounds: Bounds): Promise<Result<Taken>>;
}

export interface WantedBackups {
  /** Headers of LUKS volumes as well: 16 MiB each, and with an old one an old passphrase opens the volume for ever. */
  readonly luksHeaders: boolean;
}

export interface Taken {
  readonly backups: readonly Backup[];
  /** What could not be taken, in sentences. What was kept of it before is still good, and stays. */
  readonly problems: readonly string[];
}
