import { expect, test } from 'vitest';
import { detect, detectAtEnd, windowSize } from '../../../shared/disk/magic.ts';
import { chooseSeed, seeded } from '../../agent/adapters/scratch.ts';

function bytes(put: (at: Buffer) => void, length = windowSize): Buffer {
  const buffer = Buffer.alloc(length);
  put(buffer);
  return buffer;
}

const id = '00112233445566778899aabbccddeeff';
const uuid = '00112233-4455-6677-8899-aabbccddeeff';

/** A superblock of version 1 (Linux, md_p.h): magic, major version, feature map, pad, UUID of the set. */
function raid1(buffer: Buffer, at: number): void {
  buffer.writeUInt32LE(0xa92b4efc, at);
  buffer.writeUInt32LE(1, at + 4);
  buffer.write(id, at + 16, 'hex');
}

/** Of version 0.90: the UUID is in words 5, 13, 14 and 15. */
function raid0(buffer: Buffer, at: number): void {
  buffer.writeUInt32LE(0xa92b4efc, at);
  buffer.writeUInt32LE(90, at + 8);
  buffer.write(id.slice(0, 8), at + 20, 'hex');
  buffer.write(id.slice(8), at + 52, 'hex');
}

test.each([0, 4096])('a RAID superblock of version 1 at %i', (offset) => {
  const window = bytes((at) => {
    raid1(at, offset);
  });
  expect(detect(window)).toEqual([{ type: 'linux_raid_member', offset, uuid }]);
});

test('RAID at the end of a disk is where its version puts it', () => {
  // md(4): 0.90 is at least 64 KiB and less than 128 KiB from the end, on a multiple of 64 KiB; 1.0 at least 8 KiB and less
  // than 12 KiB, on a multiple of 4 KiB.
  const size = 10 * 2 ** 20 + 5 * 512;
  const begin = size - windowSize;
  const tail = bytes((at) => {
    raid0(at, 10 * 2 ** 20 - 65536 - begin);
    raid1(at, 10 * 2 ** 20 - 8192 - begin);
    at.write('EFI PART', windowSize - 512);
  });
  expect(detectAtEnd(tail, size).map(({ type, offset }) => [type, offset + begin])).toEqual([
    ['linux_raid_member', 10 * 2 ** 20 - 65536],
    ['linux_raid_member', 10 * 2 ** 20 - 8192],
    ['gpt', size - 512],
  ]);
  expect(detectAtEnd(tail, size)[0]?.uuid).toBe(uuid);
});

test('labels of ZFS by their list, and by uberblocks of either byte order', () => {
  const list = bytes((at) => {
    // XDR: encoding and byte order, version 0, flags 1, sizes of the first pair, length of its name, name.
    at.write('01010000000000000000000100000024000000200000000776657273696f6e00', 16384, 'hex');
  });
  const little = bytes((at) => at.writeBigUInt64LE(0x00bab10cn, 5 * 1024));
  const big = bytes((at) => at.writeBigUInt64BE(0x00bab10cn, 5 * 1024));
  for (const window of [list, little, big]) expect(detect(window)).toMatchObject([{ type: 'zfs_member' }]);
});

test('NTFS with its serial number, GPT with its GUID, of sectors of 512 and 4096 bytes', () => {
  const ntfs = bytes((at) => {
    at.write('NTFS    ', 3);
    at.write('efcdab8967452301', 72, 'hex');
  });
  expect(detect(ntfs)).toEqual([{ type: 'ntfs', offset: 3, uuid: '0123456789ABCDEF' }]);
  for (const sector of [512, 4096]) {
    const gpt = bytes((at) => {
      at.write('EFI PART', sector);
      at.write('33221100554477668899aabbccddeeff', sector + 56, 'hex');
    });
    expect(detect(gpt)).toEqual([{ type: 'gpt', offset: sector, uuid }]);
  }
});

test('the second header of LUKS when the first one is gone', () => {
  const window = bytes((at) => {
    at.write('534b554cbabe0002', 0x4000, 'hex');
    at.write(uuid, 0x4000 + 168);
  });
  expect(detect(window)).toEqual([{ type: 'crypto_LUKS', offset: 0x4000, uuid }]);
});

test('zeros, text about file systems, and what is cut off are nothing', () => {
  expect(detect(new Uint8Array(windowSize))).toEqual([]);
  expect(detect(Buffer.from('LABELONE NTFS FAT32 EFI PART XFS'.repeat(4000)))).toEqual([]);
  expect(detect(Buffer.from('XFS'))).toEqual([]);
  expect(detect(new Uint8Array(0))).toEqual([]);
  expect(detectAtEnd(new Uint8Array(512), 512)).toEqual([]);
});

const seed = chooseSeed();
test(`random bytes are nothing (AUTARK_SEED=${seed})`, () => {
  // ext has the shortest magic, and needs three fields more: less than one of 2^70 windows.
  const random = seeded(seed);
  for (let round = 0; round < 20; round += 1) {
    const window = Buffer.alloc(windowSize);
    for (let at = 0; at < windowSize; at += 4) window.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
    expect(detect(window)).toEqual([]);
  }
});
