import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fakeMachine, loopDevice, showPartitions, tool } from '../rig/fake-disk.ts';
import { describeWith } from '../rig/needs.ts';
import { failureOf, scratch, valueOf } from '../agent/adapters/scratch.ts';
import { bounds, disksOf, inventoryOf, MiB } from './disks-rig.ts';

function asOne(loop: string, serial: string | null = 'S1') {
  return fakeMachine([{ loop, model: 'Fake', serial, ids: ['ata-Fake_S1'] }]);
}

describeWith(['disks'], 'the inventory of disks', () => {
  test('names table, partitions, and what lies on each', async () => {
    const loop = await loopDevice(600);
    const parts = ['-n1:1M:+40M', '-t1:ef00', '-n2:0:+64M', '-n3:0:+380M', '-n4:0:+20M', '-n5:0:+60M'];
    await tool('sgdisk', ...parts, loop);
    await showPartitions(loop);
    await tool('mkfs.vfat', '-i', 'AABBCCDD', `${loop}p1`);
    const ext4 = '0d9b3a57-3c39-4ee9-a5c4-0cfb7e2f0a11';
    await tool('mkfs.ext4', '-q', '-U', ext4, '-L', 'data', `${loop}p2`);
    await tool('mkfs.xfs', '-q', `${loop}p3`);
    await tool('mkswap', `${loop}p4`);
    await tool('pvcreate', '-q', '--devices', `${loop}p5`, `${loop}p5`);
    const name = loop.slice('/dev/'.length);
    const [disk, ...others] = await inventoryOf(asOne(loop));
    expect(others).toEqual([]);
    expect(disk).toMatchObject({
      ...{ name, ids: ['ata-Fake_S1'], model: 'Fake', serial: 'S1', size: 600 * MiB, table: 'gpt', uses: [] },
    });
    expect(disk?.partitions.map(({ name, number, start, size }) => [name, number, start, size])).toEqual([
      [`${name}p1`, 1, MiB, 40 * MiB],
      [`${name}p2`, 2, 41 * MiB, 64 * MiB],
      [`${name}p3`, 3, 105 * MiB, 380 * MiB],
      [`${name}p4`, 4, 485 * MiB, 20 * MiB],
      [`${name}p5`, 5, 505 * MiB, 60 * MiB],
    ]);
    // UEFI: the type of an EFI System Partition.
    expect(disk?.partitions[0]?.type).toBe('c12a7328-f81f-11d2-ba4b-00a0c93ec93b');
    const types = [...new Set(disk?.signatures.map(({ on, type }) => `${on.slice(name.length)} ${type}`))];
    expect(types).toEqual([' PMBR', ' gpt', 'p1 vfat', 'p2 ext4', 'p3 xfs', 'p4 swap', 'p5 LVM2_member']);
    expect(disk?.signatures).toContainEqual({
      ...{ on: `${name}p2`, type: 'ext4', offset: 0x438, uuid: ext4, label: 'data' },
    });
  });

  test('knows partitions that the kernel has not been told of, and what lies there', async () => {
    const loop = await loopDevice(64);
    await tool('mkfs.ext4', '-q', '-E', `offset=${MiB}`, loop, '20M');
    await tool('sgdisk', '-n1:1M:+20M', loop);
    const [disk] = await inventoryOf(asOne(loop));
    expect(disk?.partitions).toMatchObject([{ number: 1, start: MiB, size: 20 * MiB }]);
    expect(disk?.signatures.filter(({ type }) => type === 'ext4')).toMatchObject([
      { on: disk?.partitions[0]?.name },
    ]);
  });

  test('says of an empty partition that nothing lies on it, although blkid is content', async () => {
    const loop = await loopDevice(64);
    await tool('sgdisk', '-n1:1M:+20M', loop);
    await showPartitions(loop);
    const [disk] = await inventoryOf(asOne(loop));
    expect(disk?.partitions).toHaveLength(1);
    expect(disk?.signatures.filter(({ on }) => on === `${loop.slice(5)}p1`)).toEqual([]);
  });

  test('still sees the second copy of a GPT whose beginning is zeroed', async () => {
    const loop = await loopDevice(64);
    await tool('sgdisk', '-n1:1M:+20M', loop);
    await tool('dd', 'if=/dev/zero', `of=${loop}`, 'bs=512', 'count=34', 'conv=notrunc,fsync');
    const [disk] = await inventoryOf(asOne(loop));
    expect(disk).toMatchObject({ table: null, partitions: [] });
    expect(disk?.signatures).toMatchObject([{ type: 'gpt', offset: 64 * MiB - 512 }]);
  });

  test('names LUKS, btrfs and a disk without serial number', async () => {
    const [luks, btrfs] = [await loopDevice(32), await loopDevice(160)];
    const key = join(scratch(), 'key');
    writeFileSync(key, 'passphrase');
    const cheap = ['--batch-mode', '--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'];
    await tool('cryptsetup', 'luksFormat', ...cheap, luks, key);
    await tool('mkfs.btrfs', '-q', btrfs);
    const disks = await inventoryOf(
      fakeMachine([
        { loop: luks, model: null, serial: null, ids: [] },
        { loop: btrfs, model: null, serial: 'B', ids: ['b', 'a'] },
      ]),
    );
    const by = new Map(disks.map((disk) => [`/dev/${disk.name}`, disk]));
    expect(by.get(luks)).toMatchObject({ serial: null, ids: [], table: null, uses: [] });
    expect(by.get(luks)?.signatures.map(({ type }) => type)).toContain('crypto_LUKS');
    expect(by.get(btrfs)?.signatures).toMatchObject([{ type: 'btrfs', offset: 0x10040 }]);
    expect(by.get(btrfs)?.ids).toEqual(['a', 'b']);
  });

  test('says where a partition is mounted, and which volume group has one', async () => {
    const loop = await loopDevice(128);
    await tool('sgdisk', '-n1:1M:+20M', '-n2:0:+20M', loop);
    await showPartitions(loop);
    await tool('mkfs.ext4', '-q', `${loop}p1`);
    const group = `autark${process.pid}`;
    // Its copy of the metadata does not go below the `/etc` of the machine that tests run on.
    const part = `${loop}p2`;
    await tool('env', `LVM_SYSTEM_DIR=${scratch()}`, 'vgcreate', '-q', '--devices', part, group, part);
    const at = mkdtempSync(join(tmpdir(), 'autark test mount-'));
    await tool('mount', `${loop}p1`, at);
    onTestFinished(async () => {
      await tool('umount', at);
      rmSync(at, { recursive: true });
    });
    const name = loop.slice('/dev/'.length);
    const [disk] = await inventoryOf(asOne(loop));
    const uses = [`${name}p1 is mounted at ${at}`, `${name}p2 belongs to volume group ${group}`];
    expect(disk?.uses).toEqual(uses);
  });

  test('says that a disk is in use when only the kernel knows of it', async () => {
    const [loop, other] = [await loopDevice(32), await loopDevice(32)];
    // Held as mkfs or a RAID holds it: opened for itself alone.
    const holder = await open(loop, constants.O_RDONLY | constants.O_EXCL);
    onTestFinished(() => holder.close());
    const disks = await inventoryOf(
      fakeMachine([loop, other].map((each) => ({ loop: each, model: null, serial: null, ids: [] }))),
    );
    const uses = new Map(disks.map((disk) => [`/dev/${disk.name}`, disk.uses]));
    expect(uses.get(loop)).toEqual([`${loop.slice(5)} or a part of it is in use, says the kernel`]);
    expect(uses.get(other)).toEqual([]);
  });
});

describeWith(['disks'], 'disks of which little is known', () => {
  test('a machine that shows no disk has none', async () => {
    expect(await inventoryOf(fakeMachine([]))).toEqual([]);
  });

  test('without a program that lists disks nothing is said', async () => {
    const machine = { root: scratch(), searchPath: scratch() };
    const failure = failureOf(await disksOf(machine).inventory(bounds()));
    expect(failure.cause).toMatch(/cannot be listed: lsblk/);
  });

  test('a disk of which no program tells is not said to be unused, and is not examined', async () => {
    const loop = await loopDevice(32);
    const machine = asOne(loop);
    const poor = { ...machine, searchPath: join(machine.root, 'bin') };
    const [disk] = await inventoryOf(poor);
    expect(disk?.signatures).toEqual([]);
    const told = disk?.uses.map((use) => use.replace(/:.*/, ''));
    expect(told).toContain(`what lies on ${disk?.name} cannot be told`);
    const failure = failureOf(await disksOf(poor).examine('/dev/disk/by-id/ata-Fake_S1', bounds()));
    expect(failure.cause).toMatch(/cannot be told/);
  });

  test('a physical volume of which pvs does not tell is not said to be unused', async () => {
    const loop = await loopDevice(32);
    await tool('pvcreate', '-q', '--devices', loop, loop);
    const machine = asOne(loop);
    const name = loop.slice('/dev/'.length);
    expect((await inventoryOf(machine))[0]?.uses).toEqual([]);
    writeFileSync(join(machine.root, 'bin/pvs'), '#!/bin/sh\necho broken >&2\nexit 5\n', { mode: 0o755 });
    expect((await inventoryOf(machine))[0]?.uses).toEqual([
      `whether ${name} belongs to a volume group cannot be told: pvs exited with code 5: broken`,
    ]);
  });

  test('a disk in /sys that has no node, as in a container, is none of this machine', async () => {
    const machine = fakeMachine([]);
    const ghost = {
      name: 'ghost',
      kname: 'ghost',
      type: 'disk',
      size: 4096,
      'maj:min': '8:0',
      'log-sec': 512,
    };
    const said = JSON.stringify({ blockdevices: [{ ...ghost, model: null, serial: null }] });
    writeFileSync(join(machine.root, 'bin/lsblk'), `#!/bin/sh\necho '${said}'\n`, { mode: 0o755 });
    expect(await inventoryOf(machine)).toEqual([]);
  });
});

describeWith(['disks'], 'a glance at disks', () => {
  test('is the same until a partition, a link or a volume group changes', async () => {
    const loop = await loopDevice(32);
    const machine = asOne(loop);
    const disks = disksOf(machine);
    await tool('sgdisk', '-n1:1M:+8M', loop);
    const quietly = async (): Promise<readonly [list: string, digest: string]> => {
      // Other tests may plug in disks meanwhile: the digest is taken while the kernel's list stays the same.
      for (;;) {
        const before = readFileSync('/proc/partitions', 'utf8');
        const digest = await disks.glance();
        if (before === readFileSync('/proc/partitions', 'utf8')) return [before, digest];
      }
    };
    const quiet = async (): Promise<string> => (await quietly())[1];
    const [list, first] = await quietly();
    const [then, again] = await quietly();
    if (then === list) expect(again).toBe(first);
    await showPartitions(loop);
    const second = await quiet();
    expect(second).not.toBe(first);
    await tool('ln', '-s', '../../sda1', join(machine.root, 'dev/disk/by-id/new'));
    const third = await quiet();
    expect(third).not.toBe(second);
    await tool('mkdir', '-p', join(machine.root, 'etc/lvm/backup'));
    writeFileSync(join(machine.root, 'etc/lvm/backup/vg0'), '');
    const fourth = await quiet();
    expect(fourth).not.toBe(third);
    await tool('touch', '-d', '2020-01-01', join(machine.root, 'etc/lvm/backup/vg0'));
    expect(await quiet()).not.toBe(fourth);
    expect(valueOf(await disks.inventory(bounds()))).toHaveLength(1);
  });
});
