import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { type FakeDisk, fakeLsblk, systemPath } from './fake-lsblk.ts';
import { patience } from './patience.ts';
import { must, run } from './run.ts';

/** Runs a program of the machine that tests run on; it must succeed. */
export function tool(file: string, ...args: readonly string[]): Promise<string> {
  return must(file, args, { env: { PATH: systemPath, LC_ALL: 'C', LVM_SUPPRESS_FD_WARNINGS: '1' } });
}

/** A loop device of the test's own, all zeros; it goes when the test ends, however it ends. */
export async function loopDevice(megabytes: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'autark-test-disk-'));
  const image = join(folder, 'image');
  await tool('truncate', '--size', `${megabytes}M`, image);
  const loop = await tool('losetup', '--find', '--show', image);
  onTestFinished(async () => {
    await hidePartitions(loop);
    await tool('losetup', '--detach', loop);
    rmSync(folder, { recursive: true });
  });
  return loop;
}

/** The kernel shows the partitions of a loop device, with nodes in `/dev`, once it is told to look. */
export async function showPartitions(loop: string): Promise<void> {
  await hidePartitions(loop);
  await tool('partx', '--add', loop);
}

/**
 * Until the kernel shows none: it refuses to forget one as long as somebody has it open, and LVM, run by another test,
 * opens every block device of the machine for a moment. One that was left would greet the next user of the loop device.
 */
export async function hidePartitions(loop: string): Promise<void> {
  const name = basename(loop);
  const isPartition = (each: string): boolean => each.startsWith(`${name}p`);
  await vi.waitUntil(async () => {
    if (!readdirSync(`/sys/class/block/${name}`).some(isPartition)) return true;
    await run('partx', ['--delete', loop], { env: { PATH: systemPath } });
    return false;
  }, patience);
}

export interface FakeMachine {
  readonly root: string;
  readonly searchPath: string;
}

/**
 * A machine whose only disks are these loop devices: its `lsblk` asks the real one about them alone, and says that they
 * are disks with that model and serial number. All other programs are the real ones.
 */
export function fakeMachine(disks: readonly FakeDisk[]): FakeMachine {
  const root = mkdtempSync(join(tmpdir(), 'autark-test-machine-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true });
  });
  mkdirSync(join(root, 'bin'));
  mkdirSync(join(root, 'dev/disk/by-id'), { recursive: true });
  for (const { loop, ids } of disks) {
    for (const id of ids) symlinkSync(loop, join(root, 'dev/disk/by-id', id));
  }
  const program = join(root, 'bin/lsblk');
  writeFileSync(program, fakeLsblk(disks));
  chmodSync(program, 0o755);
  return { root, searchPath: `${join(root, 'bin')}:${systemPath}` };
}
