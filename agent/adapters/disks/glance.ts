import { createHash } from 'node:crypto';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What the kernel tells of disks and arrays. */
const texts = ['/proc/partitions', '/proc/mdstat'];

/** udev's links change when a file system or a table is made anew, for they carry UUIDs. */
const linkFolders = ['dev/disk/by-id', 'dev/disk/by-uuid', 'dev/disk/by-partuuid'];

/** LVM writes a file here with each change of a volume group (vgcfgbackup(8)). */
const groupFolder = 'etc/lvm/backup';

/** SHA-256 in hex. It is taken with every cycle, so it starts no program and opens no device. */
export async function glanceBelow(root: string): Promise<string> {
  const seen = await Promise.all([
    ...texts.map((path) => readFile(path, 'utf8').catch(() => '')),
    ...linkFolders.map((folder) => entries(join(root, folder), (path) => readlink(path))),
    entries(join(root, groupFolder), async (path) => String((await stat(path, { bigint: true })).mtimeNs)),
  ]);
  return createHash('sha256').update(JSON.stringify(seen)).digest('hex');
}

/** Names and what is said of each, sorted. A folder that is not there is as one that is empty. */
async function entries(folder: string, tell: (path: string) => Promise<string>): Promise<unknown> {
  const names = (await readdir(folder).catch(() => [])).sort();
  return Promise.all(names.map(async (name) => [name, await tell(join(folder, name)).catch(() => '')]));
}
