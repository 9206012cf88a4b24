/** One piece of metadata of a host's disks, as text or bytes that an ordinary program takes back. */
export interface Backup {
  /**
   * Its name below `backups/` in the state, without `.age`: `table-ID` (sfdisk --dump), `lvm-VG` (vgcfgbackup), `md`,
   * `filesystems`, `luks` (identifiers), `luks-header-UUID` (only when asked for). ID is the disk's most telling name
   * below `/dev/disk/by-id`, else its serial, else the kernel's name; only `[A-Za-z0-9._-]`, at most 100 characters.
   */
  readonly name: string;
  /** The same as long as nothing changed: what merely says when, where or how often is not in it. */
  readonly content: Uint8Array;
}
