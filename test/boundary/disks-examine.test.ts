import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomFillSync } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { failureOf } from '../agent/adapters/scratch.ts';
import {
  type FakeMachine,
  fakeMachine,
  hidePartitions,
  loopDevice,
  showPartitions,
  tool,
} from '../rig/fake-disk.ts';
import { describeWith } from '../rig/needs.ts';
import { bounds, disksOf, examined, inventoryOf, MiB } from './disks-rig.ts';

function asOne(loop: string): FakeMachine {
  return fakeMachine([{ loop, model: 'Fake', serial: 'S1', ids: ['one'] }]);
}

async function write(loop: string, bytes: Uint8Array, at: number): Promise<void> {
  const handle = await open(loop, 'r+');
  await handle.write(bytes, 0, bytes.length, at);
  await handle.sync();
  await handle.close();
}

const ext4 = '0d9b3a57-3c39-4ee9-a5c4-0cfb7e2f0a11';

describeWith(['disks'], 'the examination of a disk', () => {
  test('a disk of zeros is blank, and the same when it is looked at again', async () => {
    const machine = asOne(await loopDevice(48));
    const first = await examined(machine, 'one');
    expect(first).toMatchObject({ looks: 'blank', isExclusive: true, found: [] });
    expect(first.disk).toMatchObject({ serial: 'S1', size: 48 * MiB, table: null, uses: [], signatures: [] });
    expect(await examined(machine, 'one')).toEqual(first);
  });

  test('one sector that is not zero where it is looked at makes it no longer blank', async () => {
    const loop = await loopDevice(48);
    const machine = asOne(loop);
    const blank = await examined(machine, 'one');
    await write(loop, Buffer.alloc(512, 'text'), 0);
    const first = await examined(machine, 'one');
    expect(first.looks).toBe('data');
    expect(first.samples).not.toBe(blank.samples);
    expect(first.layout).toBe(blank.layout);
    await write(loop, Buffer.alloc(512), 0);
    await write(loop, Buffer.alloc(512, 'text'), 48 * MiB - 512);
    const last = await examined(machine, 'one');
    expect(last.looks).toBe('data');
    expect(last.samples).not.toBe(first.samples);
  });

  test('a disk of random bytes may be encrypted', async () => {
    const loop = await loopDevice(48);
    await write(loop, randomFillSync(Buffer.alloc(48 * MiB)), 0);
    expect((await examined(asOne(loop), 'one')).looks).toBe('encrypted?');
  });

  test('a file system behind a table that was wiped is found', async () => {
    const loop = await loopDevice(64);
    const machine = asOne(loop);
    await tool('sgdisk', '-n1:5M:+40M', loop);
    await tool('mkfs.ext4', '-q', '-U', ext4, '-E', `offset=${5 * MiB}`, loop, '40M');
    const whole = await examined(machine, 'one');
    // With a table it is the partition's own signature, and nothing new.
    expect(whole.found).toEqual([]);
    await tool('wipefs', '--all', loop);
    const wiped = await examined(machine, 'one');
    expect(wiped.disk).toMatchObject({ table: null, partitions: [], signatures: [] });
    const on = loop.slice('/dev/'.length);
    expect(wiped.found).toEqual([{ on, type: 'ext4', offset: 5 * MiB + 0x438, uuid: ext4, label: null }]);
    expect(wiped.looks).toBe('data');
    expect(wiped.layout).not.toBe(whole.layout);
  });

  test('its layout is another one with each identifier, and the same with another label', async () => {
    const loop = await loopDevice(64);
    const machine = asOne(loop);
    await tool('sgdisk', '-n1:1M:+40M', loop);
    await showPartitions(loop);
    await tool('mkfs.ext4', '-q', '-U', ext4, `${loop}p1`);
    const layouts = [(await examined(machine, 'one')).layout];
    await tool('tune2fs', '-L', 'label', `${loop}p1`);
    expect((await examined(machine, 'one')).layout).toBe(layouts[0]);
    await tool('tune2fs', '-U', 'aaaaaaaa-3c39-4ee9-a5c4-0cfb7e2f0a11', `${loop}p1`);
    layouts.push((await examined(machine, 'one')).layout);
    await tool('sgdisk', '-u1:R', loop);
    layouts.push((await examined(machine, 'one')).layout);
    await tool('sgdisk', '-U', 'R', loop);
    layouts.push((await examined(machine, 'one')).layout);
    await tool('sgdisk', '-t1:8e00', loop);
    layouts.push((await examined(machine, 'one')).layout);
    expect(new Set(layouts).size).toBe(5);
  });

  test('a disk with a mounted partition is in use, and says by what', async () => {
    const loop = await loopDevice(64);
    await tool('sgdisk', '-n1:1M:+40M', loop);
    await showPartitions(loop);
    await tool('mkfs.ext4', '-q', `${loop}p1`);
    const at = mkdtempSync(join(tmpdir(), 'autark-test-mount-'));
    await tool('mount', `${loop}p1`, at);
    onTestFinished(async () => {
      await tool('umount', at);
      rmSync(at, { recursive: true });
    });
    const { isExclusive, disk } = await examined(asOne(loop), 'one');
    expect(isExclusive).toBe(false);
    expect(disk.uses).toEqual([`${loop.slice(5)}p1 is mounted at ${at}`]);
  });

  test('a disk behind a loop device is in use, which the kernel itself does not count', async () => {
    const loop = await loopDevice(64);
    await tool('mkfs.ext4', '-q', loop);
    const over = await tool('losetup', '--find', '--show', loop);
    onTestFinished(async () => {
      await tool('losetup', '--detach', over);
    });
    const uses = [`${loop.slice(5)} is behind ${over.slice(5)}`];
    const machine = asOne(loop);
    const { isExclusive, disk } = await examined(machine, 'one');
    expect([isExclusive, disk.uses]).toEqual([true, uses]);
    expect((await inventoryOf(machine)).map((each) => each.uses)).toEqual([uses]);
  });

  test('a disk or a partition that a process has open, as a virtual machine does, is in use', async () => {
    const loop = await loopDevice(64);
    await tool('sgdisk', '-n1:1M:+40M', loop);
    await showPartitions(loop);
    for (const [node, mode] of [
      [loop, '<>'],
      [`${loop}p1`, '<'],
    ] as const) {
      const holder = spawn('sh', ['-c', `exec 3${mode}${node}; echo open; exec sleep 1000`]);
      try {
        await once(holder.stdout, 'data');
        const { disk } = await examined(asOne(loop), 'one');
        // By then the shell may be the sleep that it becomes.
        const said = new RegExp(`^${node.slice(5)} is open in (sh|sleep)$`);
        expect(disk.uses).toEqual([expect.stringMatching(said)]);
      } finally {
        holder.kill('SIGKILL');
        await once(holder, 'exit');
      }
    }
    expect((await examined(asOne(loop), 'one')).disk.uses).toEqual([]);
  });

  test('a link that leads to another disk is that other disk', async () => {
    const [one, other] = [await loopDevice(32), await loopDevice(32)];
    const machine = fakeMachine([
      { loop: one, model: null, serial: 'S1', ids: ['link'] },
      { loop: other, model: null, serial: 'S2', ids: [] },
    ]);
    const first = await examined(machine, 'link');
    const link = join(machine.root, 'dev/disk/by-id/link');
    rmSync(link);
    symlinkSync(other, link);
    const second = await examined(machine, 'link');
    expect([first.disk.serial, second.disk.serial]).toEqual(['S1', 'S2']);
    expect(second.device).not.toBe(first.device);
  });

  test('a link that is moved while the disk is looked at is a failure', async () => {
    const [one, other] = [await loopDevice(32), await loopDevice(32)];
    const machine = fakeMachine([
      { loop: one, model: null, serial: 'S1', ids: ['link'] },
      { loop: other, model: null, serial: 'S2', ids: [] },
    ]);
    const link = join(machine.root, 'dev/disk/by-id/link');
    const sfdisk = `#!/bin/sh\nln -sfn ${other} ${link}\nexit 1\n`;
    writeFileSync(join(machine.root, 'bin/sfdisk'), sfdisk, { mode: 0o755 });
    const failure = failureOf(await disksOf(machine).examine('/dev/disk/by-id/link', bounds()));
    expect(failure.cause).toMatch(/led to another device/);
  });

  test('a partition, a file, nothing at all, and a disk of another size are failures', async () => {
    const loop = await loopDevice(64);
    const machine = asOne(loop);
    await tool('sgdisk', '-n1:1M:+40M', loop);
    await showPartitions(loop);
    const folder = join(machine.root, 'dev/disk/by-id');
    symlinkSync(`${loop}p1`, join(folder, 'part'));
    writeFileSync(join(folder, 'file'), '');
    const causeOf = async (id: string) =>
      failureOf(await disksOf(machine).examine(`/dev/disk/by-id/${id}`, bounds())).cause;
    expect(await causeOf('part')).toMatch(/not a whole disk/);
    expect(await causeOf('file')).toMatch(/leads to no block device/);
    expect(await causeOf('nothing')).toMatch(/leads to no block device/);
    await hidePartitions(loop);
    for (const size of [63 * MiB, 65 * MiB]) {
      const lsblk = join(machine.root, 'bin/lsblk');
      const lying = `#!/bin/sh\nlsblk() { PATH=/usr/bin:/bin; command lsblk "$@"; }\nlsblk "$@" ${loop} | sed -e 's/"loop"/"disk"/' -e 's/${64 * MiB}/${size}/'\n`;
      writeFileSync(lsblk, lying, { mode: 0o755 });
      expect(await causeOf('one')).toMatch(/has not the \d+ bytes/);
    }
  });

  test('when its time is over, or it is asked to stop, it ends', async () => {
    const machine = asOne(await loopDevice(32));
    const disks = disksOf(machine);
    expect(failureOf(await disks.examine('/dev/disk/by-id/one', bounds(0))).cause).toMatch(/no time left/);
    const stopped = { timeout: 60_000, signal: AbortSignal.abort() };
    expect(failureOf(await disks.examine('/dev/disk/by-id/one', stopped)).cause).toMatch(/stopped/);
  });
});
