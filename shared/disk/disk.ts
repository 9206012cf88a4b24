/** What a host says of its disks, in the sealed part of its state: plain data, as `ledger.age` and commands have it. */

/** What a file system, a table, a RAID or LVM, or encryption leaves on a device so that it is recognised. */
export interface Signature {
  /** The kernel's name of the disk or partition that it lies on, such as `sda1`. */
  readonly on: string;
  /** As libblkid names it: `gpt`, `ext4`, `LVM2_member`, `crypto_LUKS`, … */
  readonly type: string;
  /** Of the magic, in bytes from the beginning of that device; 0 where the program that saw it names none. */
  readonly offset: number;
  readonly uuid: string | null;
  readonly label: string | null;
}

export interface Partition {
  /** The kernel's name, such as `sda1`. */
  readonly name: string;
  readonly number: number;
  /** Bytes from the beginning of the disk. */
  readonly start: number;
  /** Bytes. */
  readonly size: number;
  /** The type as the table has it: a GUID, or two hex digits. */
  readonly type: string;
  /** The partition's own UUID; `null` where the table has none. */
  readonly uuid: string | null;
}

/** A whole disk: nothing that is part of another one, and nothing that is made of others. */
export interface Disk {
  /** The kernel's name, such as `sda`: it may be another one after the next boot. */
  readonly name: string;
  /** The names below `/dev/disk/by-id` that lead to it, sorted; without that folder. */
  readonly ids: readonly string[];
  readonly model: string | null;
  /** `null` where the disk, or the machine that it is emulated by, has none. */
  readonly serial: string | null;
  /** Bytes. */
  readonly size: number;
  /** `gpt`, `dos`, …; `null` when no partition table was recognised. */
  readonly table: string | null;
  /** By their beginning. */
  readonly partitions: readonly Partition[];
  /** On the disk and its partitions, by device and offset. No signature does not mean that nothing is there. */
  readonly signatures: readonly Signature[];
  /**
   * Who uses it, in sentences such as `sda1 is mounted at /boot`, sorted. What could not be found out is a sentence here, too:
   * it is empty only when everything was looked at, and nobody uses it.
   */
  readonly uses: readonly string[];
}
