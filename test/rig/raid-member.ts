/**
 * What is written 4096 bytes into a member of a RAID 1 array of two (`struct mdp_superblock_1` of Linux,
 * include/uapi/linux/raid/md_p.h, version 1.2): a machine that cannot make arrays can still have such a member.
 */
export function memberSuperblock(events: bigint): Uint8Array {
  const [roles, bytes] = [2, Buffer.alloc(512)];
  const put = (at: number, value: number): unknown => bytes.writeUInt32LE(value, at);
  const putLong = (at: number, value: bigint): unknown => bytes.writeBigUInt64LE(value, at);
  put(0, 0xa92b4efc); // magic
  put(4, 1); // major_version
  for (let at = 0; at < 16; at += 1) bytes[16 + at] = at; // set_uuid
  bytes.write('host:0', 32); // set_name
  putLong(64, 1_700_000_000n); // ctime
  put(72, 1); // level
  putLong(80, 100_000n); // size, in sectors as all that follows
  put(92, 2); // raid_disks
  putLong(128, 2048n); // data_offset
  putLong(136, 120_000n); // data_size
  putLong(144, 8n); // super_offset
  put(160, 1); // dev_number
  for (let at = 0; at < 16; at += 1) bytes[168 + at] = 0xa0 + at; // device_uuid
  putLong(192, 1_700_000_000n + events); // utime
  putLong(200, events);
  putLong(208, 0xffff_ffff_ffff_ffffn); // resync_offset: in sync
  put(220, roles); // max_dev
  bytes.writeUInt16LE(0, 256);
  bytes.writeUInt16LE(1, 258);
  put(216, checksum(bytes, 256 + 2 * roles));
  return bytes;
}

function checksum(bytes: Buffer, size: number): number {
  let sum = 0n;
  for (let at = 0; at + 4 <= size; at += 4) sum += BigInt(bytes.readUInt32LE(at));
  return Number(((sum & 0xffff_ffffn) + (sum >> 32n)) & 0xffff_ffffn);
}
