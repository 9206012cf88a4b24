/**
 * Recognises the beginnings of file systems, RAID, LVM, swap and encryption in bytes, by their magic and enough beside it
 * that it is no accident. For places where no table says that something begins: asking libblkid takes a process each.
 */

/** How much of the bytes behind a place is looked at. */
export const windowSize = 128 * 1024;

/** What begins at the beginning of a window. */
export interface Magic {
  /** As libblkid names it. */
  readonly type: string;
  /** Of the magic itself, from the beginning of the window. */
  readonly offset: number;
  readonly uuid: string | null;
}

/** All that is recognised, by offset; more than one where remains of something older are left. */
export function detect(window: Uint8Array): readonly Magic[] {
  const view = viewOf(window);
  return detectors.flatMap((look) => look(view)).sort((a, b) => a.offset - b.offset);
}

interface View {
  readonly bytes: Uint8Array;
  /** Beyond the end all is zero, which no magic is. */
  readonly u8: (at: number) => number;
  readonly u16: (at: number) => number;
  readonly u32: (at: number) => number;
  readonly text: (at: number, length: number) => string;
  readonly hex: (at: number, length: number) => string;
}

function viewOf(bytes: Uint8Array): View {
  const u8 = (at: number): number => bytes[at] ?? 0;
  const u16 = (at: number): number => u8(at) | (u8(at + 1) << 8);
  return {
    bytes,
    u8,
    u16,
    u32: (at) => u16(at) + u16(at + 2) * 0x10000,
    text: (at, length) => Buffer.from(bytes.subarray(at, at + length)).toString('latin1'),
    hex: (at, length) => Buffer.from(bytes.subarray(at, at + length)).toString('hex'),
  };
}

type Detector = (view: View) => readonly Magic[];

const detectors: readonly Detector[] = [ext, xfs, btrfs, fat, ntfs, gpt, lvm, luks, raid, swap, zfs];

/** As most write it; `null` for the one that says there is none. */
function uuidOf(hex: string): string | null {
  if (hex.length !== 32 || /^0+$/.test(hex)) return null;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function reversed(hex: string): string {
  return (hex.match(/../g) ?? []).reverse().join('');
}

/** Linux, fs/ext4/ext4.h: the superblock is 1024 bytes in; a copy is at the beginning of its group, and says which. */
function ext(view: View): readonly Magic[] {
  const main = extAt(view, 1024);
  if (main !== null) return [main];
  const copy = view.u16(0x5a) === 0 ? null : extAt(view, 0);
  return copy === null ? [] : [copy];
}

function extAt({ u16, u32, hex }: View, at: number): Magic | null {
  // The block size is 1024 << n, at most 64 KiB; revisions are 0 and 1; an inode table and blocks there must be.
  if (u16(at + 0x38) !== 0xef53 || u32(at + 0x18) > 6 || u32(at + 0x4c) > 1) return null;
  if (u32(at) === 0 || u32(at + 4) === 0) return null;
  const [compatible, incompatible, readOnly] = [u32(at + 0x5c), u32(at + 0x60), u32(at + 0x64)];
  return { type: typeOf(), offset: at + 0x38, uuid: uuidOf(hex(at + 0x68, 16)) };

  /** libblkid, superblocks/ext.c: ext4 is what has a feature that ext3 had not; ext3 has a journal. */
  function typeOf(): string {
    if ((incompatible & 0x8) !== 0) return 'jbd';
    if ((incompatible & ~0x16) !== 0 || (readOnly & ~0x7) !== 0) return 'ext4';
    return (compatible & 0x4) !== 0 ? 'ext3' : 'ext2';
  }
}

function xfs({ text, hex }: View): readonly Magic[] {
  return text(0, 4) === 'XFSB' ? [{ type: 'xfs', offset: 0, uuid: uuidOf(hex(32, 16)) }] : [];
}

function btrfs({ text, hex }: View): readonly Magic[] {
  const at = 0x10000;
  if (text(at + 0x40, 8) !== '_BHRfS_M') return [];
  return [{ type: 'btrfs', offset: at + 0x40, uuid: uuidOf(hex(at + 0x20, 16)) }];
}

/** A jump, a boot signature and one of the words that mkfs.vfat(8) and others write; the words alone are in many programs. */
function fat({ u8, u16, text, hex }: View): readonly Magic[] {
  const isJump = u8(0) === 0xe9 || u8(0) === 0xeb;
  const sector = u16(11);
  if (!isJump || u16(510) !== 0xaa55 || ![512, 1024, 2048, 4096].includes(sector)) return [];
  const [offset, serial] =
    text(82, 8) === 'FAT32   ' ? [82, 67] : /^FAT(12|16)? +$/.test(text(54, 8)) ? [54, 39] : [];
  if (offset === undefined || serial === undefined) return [];
  const id = reversed(hex(serial, 4)).toUpperCase();
  return [{ type: 'vfat', offset, uuid: id === '00000000' ? null : `${id.slice(0, 4)}-${id.slice(4)}` }];
}

function ntfs({ text, hex }: View): readonly Magic[] {
  if (text(3, 8) !== 'NTFS    ') return [];
  return [{ type: 'ntfs', offset: 3, uuid: reversed(hex(72, 8)).toUpperCase() }];
}

/** UEFI 5.3.2: in the second sector, of 512 bytes or of 4096; the first three fields of the GUID are little-endian. */
function gpt({ text, hex }: View): readonly Magic[] {
  return [512, 4096]
    .filter((at) => text(at, 8) === 'EFI PART')
    .map((offset) => ({ type: 'gpt', offset, uuid: uuidOf(mixed(hex(offset + 56, 16))) }));
}

function mixed(guid: string): string {
  return [guid.slice(0, 8), guid.slice(8, 12), guid.slice(12, 16)].map(reversed).join('') + guid.slice(16);
}

/** LVM2, lib/format_text/layout.h: a label in one of the first four sectors, which names its own sector. */
function lvm({ text, u32 }: View): readonly Magic[] {
  return [0, 1, 2, 3]
    .map((sector) => ({ sector, at: sector * 512 }))
    .filter(({ sector, at }) => text(at, 8) === 'LABELONE' && u32(at + 8) === sector)
    .filter(({ at }) => text(at + 24, 8) === 'LVM2 001')
    .map(({ at }) => {
      const id = text(at + 32, 32).replace(
        /^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/,
        '$1-$2-$3-$4-$5-$6-$7',
      );
      return { type: 'LVM2_member', offset: at + 24, uuid: /^[\w-]{38}$/.test(id) ? id : null };
    });
}

/** cryptsetup, LUKS2 On-Disk Format: the second header is at one of these places, also when the first one is gone. */
const secondHeaders = [0x4000, 0x8000, 0x10000];

function luks(view: View): readonly Magic[] {
  const { text, u8, hex } = view;
  const isHeader = (at: number, magic: string): boolean =>
    hex(at, 6) === magic && u8(at + 6) === 0 && [1, 2].includes(u8(at + 7));
  const first = isHeader(0, '4c554b53babe') ? [0] : [];
  return [...first, ...secondHeaders.filter((at) => isHeader(at, '534b554cbabe'))].map((offset) => {
    const uuid = text(offset + 168, 40).replace(/\0.*$/s, '');
    return { type: 'crypto_LUKS', offset, uuid: /^[0-9a-f-]{36}$/i.test(uuid) ? uuid : null };
  });
}

/** Linux, include/uapi/linux/raid/md_p.h: version 1.1 is at the beginning, 1.2 is 4 KiB in. */
function raid(view: View): readonly Magic[] {
  return [0, 4096].flatMap((at) => raidAt(view, at));
}

function raidAt({ u32, hex }: View, at: number): readonly Magic[] {
  if (u32(at) !== 0xa92b4efc) return [];
  if (u32(at + 4) === 1) return [{ type: 'linux_raid_member', offset: at, uuid: uuidOf(hex(at + 16, 16)) }];
  if (u32(at + 4) !== 0 || u32(at + 8) !== 90) return [];
  // Four numbers, and libblkid writes them as they lie there.
  return [{ type: 'linux_raid_member', offset: at, uuid: uuidOf(hex(at + 20, 4) + hex(at + 52, 12)) }];
}

/** mkswap(8): in the last ten bytes of the first page, whose size is the machine's that made it. */
function swap({ text, hex }: View): readonly Magic[] {
  return [0x1000, 0x2000, 0x4000, 0x8000, 0x10000]
    .map((page) => page - 10)
    .filter((at) => ['SWAPSPACE2', 'SWAP-SPACE'].includes(text(at, 10)))
    .map((offset) => ({ type: 'swap', offset, uuid: uuidOf(hex(0x40c, 16)) }));
}

/**
 * OpenZFS, vdev_impl.h: a label is 256 KiB. After 16 KiB comes a list of pairs in XDR, the first of which is `version`. The
 * uberblocks lie behind this window, but before it where it begins within a label.
 */
function zfs({ text, hex, u32, bytes }: View): readonly Magic[] {
  const list = 16 * 1024;
  if (hex(list, 2) === '0101' && text(list + 20, 11) === '\0\0\0\u0007version') {
    return [{ type: 'zfs_member', offset: list, uuid: null }];
  }
  for (let at = 0; at < bytes.length; at += 1024) {
    // In the byte order of the machine that wrote it.
    const [low, high] = [u32(at), u32(at + 4)];
    const isUberblock = (low === 0x00bab10c && high === 0) || (low === 0 && high === 0x0cb1ba00);
    if (isUberblock) return [{ type: 'zfs_member', offset: at, uuid: null }];
  }
  return [];
}

/**
 * What lies at the end of a device: RAID of version 0.90, 64 KiB before the end and on a multiple of that, and 1.0, 8 KiB
 * before it; the second copy of a GPT, in the last sector. The last `windowSize` bytes contain all of them.
 * @param tail the end of the device, of any length
 * @returns offsets from the beginning of `tail`
 */
export function detectAtEnd(tail: Uint8Array, size: number): readonly Magic[] {
  const view = viewOf(tail);
  const begin = size - tail.length;
  const old = Math.floor(size / 65536) * 65536 - 65536 - begin;
  const one = Math.floor((Math.floor(size / 512) - 16) / 8) * 8 * 512 - begin;
  const raids = [...new Set([old, one])].filter((at) => at >= 0).flatMap((at) => raidAt(view, at));
  const tables = [512, 4096]
    .map((sector) => Math.floor(size / sector) * sector - sector - begin)
    .filter((at) => at >= 0 && view.text(at, 8) === 'EFI PART')
    .map((offset) => ({ type: 'gpt', offset, uuid: uuidOf(mixed(view.hex(offset + 56, 16))) }));
  return [...raids, ...tables].sort((a, b) => a.offset - b.offset);
}
