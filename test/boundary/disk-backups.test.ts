import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Taken } from '../../agent/disk-ports.ts';
import { scratch, valueOf } from '../agent/adapters/scratch.ts';
import { makeDisk } from '../rig/disk.ts';
import { hidePartitions } from '../rig/fake-disk.ts';
import { commandsOf, contentOf, loopDisk, type LoopDisk } from '../rig/loop-disk.ts';
import { describeWith } from '../rig/needs.ts';
import { memberSuperblock } from '../rig/raid-member.ts';

const id = 'ata-TESTDISK_0001';
const mebibyte = 2 ** 20;

const table = 'label: gpt\nstart=2048, size=2048, name="boot größe"\nstart=6144, type=lvm\n';

async function partitioned(megabytes = 64): Promise<LoopDisk> {
  const disk = await loopDisk(scratch(), megabytes, id);
  // Loop devices here have no partitions that the kernel itself has read: partx makes them.
  await disk.must('sfdisk', ['--quiet', '--no-tell-kernel', disk.device], table);
  await disk.showPartitions(2);
  return disk;
}

/** Each of LVM's commands sees this one device, and nothing of the machine's own LVM. */
function confineLvm(disk: LoopDisk): void {
  const device = `${disk.device}p2`;
  const home = join(disk.folder, 'lvm');
  mkdirSync(home);
  writeFileSync(join(home, 'lvm.conf'), 'backup { backup = 0\n archive = 0 }\n');
  const real = `LVM_SYSTEM_DIR=${home} LVM_SUPPRESS_FD_WARNINGS=1 PATH=$real exec lvm`;
  disk.fake('lvm', `${real} "$@" --devices ${device}`);
  for (const name of ['pvcreate', 'vgcreate', 'vgcfgrestore']) {
    disk.fake(name, `${real} ${name} "$@" --devices ${device}`);
  }
  // Nothing can be activated here: the volume is made, and is not asked of the kernel.
  const inactive = '--driverloaded n --activate n --zero n --wipesignatures n';
  disk.fake('lvcreate', `${real} lvcreate "$@" ${inactive} --devices ${device}`);
}

function textsOf({ backups }: Taken): readonly (readonly [string, string])[] {
  return backups.map(({ name, content }) => [name, Buffer.from(content).toString('latin1')]);
}

/** Where the volume `data` begins on the disk, and how long it is, by what `vgcfgbackup` wrote. */
function placeOf(group: string, partition: number): { offset: number; size: number } {
  const number = (key: string): number => Number(new RegExp(`\\b${key} = (\\d+)`).exec(group)?.[1]);
  const extent = number('extent_size') * 512;
  return {
    offset: partition + number('pe_start') * 512,
    size: number('extent_count') * extent,
  };
}

async function attach(disk: LoopDisk, { offset, size }: { offset: number; size: number }): Promise<string> {
  const where = ['--offset', String(offset), '--sizelimit', String(size)];
  const device = await disk.must('losetup', ['--find', '--show', ...where, disk.device]);
  onTestFinished(async () => {
    await disk.must('losetup', ['--detach', device]);
  });
  return device;
}

describeWith(['loops', 'lvm'], 'a disk with a volume group', () => {
  test('is brought back by the commands of the page, after its table and LVM metadata were lost', async () => {
    const disk = await partitioned();
    confineLvm(disk);
    await disk.must('pvcreate', [`${disk.device}p2`]);
    await disk.must('vgcreate', ['vg0', `${disk.device}p2`]);
    await disk.must('lvcreate', ['--size', '16M', '--name', 'data', 'vg0']);
    const taken = valueOf(await disk.takes());
    expect(taken.problems).toEqual([]);
    expect(taken.backups.map(({ name }) => name)).toEqual(['filesystems', 'lvm-vg0', `table-${id}`]);

    const group = contentOf(taken, 'lvm-vg0');
    const place = placeOf(group, 6144 * 512);
    const content = scratch();
    writeFileSync(join(content, 'letter'), 'still here');
    const image = join(scratch(), 'data.img');
    await makeDisk(image, content, place.size / mebibyte);
    const dd = [
      `of=${disk.device}`,
      'bs=1M',
      'conv=notrunc,fsync',
      'oflag=seek_bytes',
      `seek=${place.offset}`,
    ];
    await disk.must('dd', [`if=${image}`, ...dd]);

    await disk.wipe(0, 4 * mebibyte);
    await disk.wipe(63 * mebibyte, mebibyte);
    expect(valueOf(await disk.takes()).problems.join()).toMatch(/no partition table any more/);
    await hidePartitions(disk.device);
    await expect(disk.must('sfdisk', ['--dump', disk.device])).rejects.toThrow(/recognized/);

    const uuid = /pv0 \{\s+id = "([^"]+)"/.exec(group)?.[1] ?? '';
    const perform = (heading: string, change = (text: string): string => text): Promise<string> => {
      const commands = commandsOf('restore.md', heading);
      const real = commands.replaceAll('/dev/sdX2', `${disk.device}p2`).replaceAll('/dev/sdX', disk.device);
      return disk.must('sh', ['-eu', '-c', change(real.replaceAll('PV-UUID', uuid))]);
    };
    writeFileSync(join(disk.folder, 'table'), contentOf(taken, `table-${id}`));
    writeFileSync(join(disk.folder, 'vg0.conf'), group);
    await perform('Partition table');
    await disk.showPartitions(2);
    await perform('LVM');
    // seqno counts the restoring; all else is as it was.
    const again = valueOf(await disk.takes());
    expect(again.problems).toEqual([]);
    const countless = (taking: Taken) =>
      textsOf(taking).map(([name, text]) => [name, text.replace(/seqno.*/, '')]);
    expect(countless(again)).toEqual(countless(taken));

    const volume = await attach(disk, place);
    const at = scratch();
    onTestFinished(async () => {
      await disk.must('umount', [at]);
    });
    const instead = (text: string) => text.replaceAll('/dev/vg0/data', volume).replaceAll('/mnt', at);
    await perform('File systems, to look first', instead);
    expect(readFileSync(join(at, 'letter'), 'utf8')).toBe('still here');
    expect(readFileSync('/proc/mounts', 'utf8')).toMatch(new RegExp(`^${volume} ${at} ext4 ro,`, 'm'));
  });

  test('gives the same bytes as long as nothing changed, and other ones when a volume is made', async () => {
    const disk = await partitioned();
    confineLvm(disk);
    await disk.must('vgcreate', ['vg0', `${disk.device}p2`]);
    const first = valueOf(await disk.takes());
    // lvm writes the second into its file.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(textsOf(valueOf(await disk.takes()))).toEqual(textsOf(first));
    await disk.must('lvcreate', ['--size', '4M', '--name', 'more', 'vg0']);
    const later = valueOf(await disk.takes());
    expect(contentOf(later, 'lvm-vg0')).toMatch(/\bmore \{/);
    expect(contentOf(later, `table-${id}`)).toBe(contentOf(first, `table-${id}`));
    expect(contentOf(first, `table-${id}`)).toContain(`\ndevice: ${id}\n`);
    expect(contentOf(first, 'lvm-vg0')).toContain(`device = "${id}-part2"`);
    expect(contentOf(first, 'filesystems')).toMatch(new RegExp(`^${id}-part2 TYPE="LVM2_member"`, 'm'));
    expect(JSON.stringify(textsOf(first))).not.toContain(disk.device.replace('/dev/', ''));
  });

  test('is a problem where there is no lvm, or where lvm does not show it', async () => {
    const disk = await partitioned();
    confineLvm(disk);
    await disk.must('vgcreate', ['vg0', `${disk.device}p2`]);
    disk.fake('lvm', 'exit 0');
    expect(valueOf(await disk.takes()).problems).toEqual([
      `${disk.device}p2 (${id}-part2) belongs to LVM, and lvm does not show it`,
    ]);
    const without = scratch();
    for (const name of ['sh', 'cat', 'lsblk', 'blkid', 'wipefs', 'sfdisk']) {
      symlinkSync(await disk.must('which', [name]), join(without, name));
    }
    const { backups, problems } = valueOf(await disk.takes({ searchPath: without }));
    expect(backups.map(({ name }) => name)).toEqual(['filesystems', `table-${id}`]);
    expect(problems).toEqual([`${disk.device}p2 (${id}-part2) belongs to LVM, and there is no program lvm`]);
  });

  test('does not keep the rest from being taken when vgcfgbackup fails, hangs, floods or writes nothing', async () => {
    const disk = await partitioned();
    confineLvm(disk);
    await disk.must('vgcreate', ['vg0', `${disk.device}p2`]);
    const [uuid = ''] = (await disk.must('lvm', ['pvs', '--noheadings', '-o', 'pv_uuid'])).trim().split(/\s/);
    const cases: readonly (readonly [string, RegExp])[] = [
      ['echo "  no room" >&2; exit 5', /lvm vgcfgbackup exited with code 5: no room$/],
      ['sleep 1000', /lvm vgcfgbackup took longer than \d+ s$/],
      ['yes', /lvm vgcfgbackup wrote more output than it may$/],
      ['exit 0', /lvm vgcfgbackup wrote no metadata$/],
      ['echo half > "$4"', /lvm vgcfgbackup wrote no metadata$/],
    ];
    for (const [script, problem] of cases) {
      disk.fake('lvm', `[ "$1" = pvs ] && echo "  ${uuid},vg0" && exit\n${script}`);
      // All programs share the time; only the one that hangs is to be kept short.
      const timeout = script.startsWith('sleep') ? 20_000 : 120_000;
      const { backups, problems } = valueOf(await disk.takes({ bounds: { timeout } }));
      expect(
        backups.map(({ name }) => name),
        script,
      ).toEqual(['filesystems', `table-${id}`]);
      expect(problems, script).toEqual([expect.stringMatching(problem)]);
    }
  });
});

describeWith(['loops'], 'a partition table', () => {
  test('that is read from its second copy is taken all the same', async () => {
    const disk = await partitioned();
    const before = contentOf(valueOf(await disk.takes()), `table-${id}`);
    await disk.wipe(512, 512);
    expect(contentOf(valueOf(await disk.takes()), `table-${id}`)).toBe(before);
  });

  test('of which only a trace is left does not give way to nothing', async () => {
    const disk = await partitioned();
    // The guard in front of the GPT, without which programs do not look for it.
    await disk.wipe(0, mebibyte);
    const { backups, problems } = valueOf(await disk.takes());
    expect(backups.map(({ name }) => name)).not.toContain(`table-${id}`);
    expect(problems).toEqual([`${disk.device} (${id}) has a partition table (gpt) that sfdisk cannot read`]);
  });

  test('of which only the guard is left is not taken for a table', async () => {
    const disk = await partitioned();
    await disk.wipe(512, mebibyte - 512);
    await disk.wipe(63 * mebibyte, mebibyte);
    const { backups, problems } = valueOf(await disk.takes());
    expect(backups.map(({ name }) => name)).not.toContain(`table-${id}`);
    expect(problems).toEqual([`the GPT of ${disk.device} (${id}) is lost, both copies of it`]);
  });

  test('is not missed on a disk that never had one', async () => {
    const disk = await loopDisk(scratch(), 8, id);
    expect(valueOf(await disk.takes())).toEqual({ backups: [], problems: [] });
  });
});

describeWith(['loops'], 'a machine', () => {
  test('that shows no disks, or disks that it has no devices of, has no backups and no problems', async () => {
    const disk = await partitioned();
    const absent = { name: 'vdz', kname: 'vdz', path: '/dev/autark-absent', type: 'disk', size: 1 };
    for (const blockdevices of [[], [absent]]) {
      disk.fake('lsblk', `echo '${JSON.stringify({ blockdevices })}'`);
      expect(valueOf(await disk.takes())).toEqual({ backups: [], problems: [] });
    }
  });

  test('is understood from what its own lsblk prints', async () => {
    const disk = await partitioned();
    const expected = valueOf(await disk.takes());
    // All is lsblk's own but that our loop device is a disk.
    disk.fake('lsblk', `PATH=$real lsblk "$@" ${disk.device} | sed 's/"type": *"loop"/"type":"disk"/'`);
    expect(textsOf(valueOf(await disk.takes()))).toEqual(textsOf(expected));
    expect(expected.backups.map(({ name }) => name)).toEqual(['filesystems', `table-${id}`]);
  });

  test('whose disks cannot be listed is a failure, not a machine without any', async () => {
    const disk = await partitioned();
    for (const script of ['exit 1', 'echo "[]"', 'echo {', 'kill -9 $$']) {
      disk.fake('lsblk', script);
      expect((await disk.takes()).ok, script).toBe(false);
    }
  });

  test('keeps its table of file systems when one device cannot be read', async () => {
    const disk = await partitioned();
    disk.fake(
      'blkid',
      `case "$*" in *${disk.device}p1) echo bad sector >&2; exit 1;; esac; PATH=$real exec blkid "$@"`,
    );
    const { backups, problems } = valueOf(await disk.takes());
    expect(backups.map(({ name }) => name)).toEqual([`table-${id}`]);
    expect(problems).toEqual([`${disk.device}p1 (${id}-part1): blkid exited with code 1: bad sector`]);
  });
});

describeWith(['loops', 'mdadm'], 'a member of an array', () => {
  test('is told with what the array could be made anew by, and without what counts', async () => {
    const disk = await loopDisk(scratch(), 64, id);
    const write = async (events: bigint): Promise<Taken> => {
      const file = join(disk.folder, 'superblock');
      writeFileSync(file, memberSuperblock(events));
      const to = [`of=${disk.device}`, 'conv=notrunc,fsync', 'bs=4096', 'seek=1'];
      await disk.must('dd', [`if=${file}`, ...to]);
      return valueOf(await disk.takes());
    };
    const taken = await write(17n);
    expect(taken.problems).toEqual([]);
    const md = contentOf(taken, 'md');
    const uuid = '00010203:04050607:08090a0b:0c0d0e0f';
    expect(md).toMatch(new RegExp(`^ARRAY /dev/md/0 .*UUID=${uuid}`, 'm'));
    for (const line of [`# ${id}`, '#   Raid Level: raid1', '#   Device Role: Active device 1']) {
      expect(md.split('\n')).toContain(line);
    }
    expect(md).toMatch(/^# {3}Data Offset: 2048 sectors$/m);
    expect(md).not.toContain('17');
    expect(contentOf(await write(18n), 'md')).toBe(md);
  });
});
