import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openPrograms } from '../../agent/adapters/process.ts';
import { takeBackups } from '../../agent/adapters/disks/backups.ts';
import type { Taken } from '../../agent/disk-ports.ts';
import type { Bounds } from '../../agent/ports.ts';
import { hidePartitions, showPartitions } from './fake-disk.ts';
import { must } from './run.ts';

/** Where the machine's own programs are. */
const system = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A real block device in a file, and a PATH on which it is taken for a whole disk, the only one of the machine. */
export interface LoopDisk {
  readonly device: string;
  /** In front of it are the fakes. */
  readonly path: string;
  readonly folder: string;
  /** A program that is found before the machine's own; `$real` is the machine's PATH. */
  fake(name: string, script: string): void;
  /** What lsblk is to say of the partitions that the disk has; they get devices. */
  showPartitions(count: number): Promise<void>;
  /** Runs a program with the fakes on its PATH. */
  must(file: string, args: readonly string[], input?: string): Promise<string>;
  /** Bytes from `from` on become zeros. */
  wipe(from: number, count: number): Promise<void>;
  takes(options?: {
    readonly luksHeaders?: boolean;
    /** Where programs are looked for, if not on the PATH with the fakes. */
    readonly searchPath?: string;
    readonly bounds?: Partial<Bounds>;
  }): ReturnType<ReturnType<typeof takeBackups>>;
}

/** @param id its name below `/dev/disk/by-id` */
export async function loopDisk(folder: string, megabytes: number, id: string): Promise<LoopDisk> {
  const env = { PATH: system, LC_ALL: 'C' };
  const image = join(folder, 'disk.img');
  await must('truncate', ['--size', `${megabytes}M`, image], { env });
  const device = await must('losetup', ['--find', '--show', image], { env });
  onTestFinished(async () => {
    await hidePartitions(device);
    await must('losetup', ['--detach', device], { env });
  });
  const fakes = join(folder, 'fakes');
  const byId = join(folder, 'by-id');
  mkdirSync(fakes);
  mkdirSync(byId);
  symlinkSync(`../../${basename(device)}`, join(byId, id));
  const path = `${fakes}:${system}`;
  const fake = (name: string, script: string): void => {
    writeFileSync(join(fakes, name), `#!/bin/sh\nreal=${system}\n${script}\n`);
    chmodSync(join(fakes, name), 0o755);
  };
  // The machine's own LVM would show volume groups that other tests make at the same time; so would mdadm.
  fake('lvm', 'exit 0');
  writeFileSync(join(folder, 'mdadm.conf'), `DEVICE ${device} ${device}p1 ${device}p2\n`);
  fake('mdadm', `PATH=$real exec mdadm "$@" --config=${folder}/mdadm.conf`);
  const show = (partitions: number): void => {
    const part = (number: number) => node(`${device}p${number}`, 'part');
    const children = Array.from({ length: partitions }, (_, index) => part(index + 1));
    fakeLsblk(fake, [{ ...node(device, 'disk'), children }]);
  };
  show(0);
  return {
    ...{ device, path, folder, fake },
    async showPartitions(count) {
      await showPartitions(device);
      show(count);
    },
    must: (file, args, input = '') => must(file, args, { cwd: folder, env: { ...env, PATH: path }, input }),
    async wipe(from, count) {
      const where = [
        `of=${device}`,
        'oflag=seek_bytes',
        `seek=${from}`,
        'iflag=count_bytes',
        `count=${count}`,
      ];
      await must('dd', ['if=/dev/zero', 'bs=64K', 'conv=fsync,notrunc', ...where], { env });
    },
    takes: ({ luksHeaders = false, searchPath = path, bounds = {} } = {}) =>
      takeBackups({ root: folder, searchPath, programs: openPrograms(), byId })(
        { luksHeaders },
        { timeout: 120_000, signal: new AbortController().signal, ...bounds },
      ),
  };
}

function node(path: string, type: string) {
  return { name: basename(path), kname: basename(path), path, type, size: 2 ** 26, serial: null };
}

/** lsblk takes loop devices for what they are; this one takes ours for a disk. */
export function fakeLsblk(fake: LoopDisk['fake'], blockdevices: readonly unknown[]): void {
  fake('lsblk', `cat <<'END'\n${JSON.stringify({ blockdevices })}\nEND`);
}

/**
 * The commands that a page tells people to run below a heading: of its blocks that are marked ` ```sh restore `, so that a test
 * runs what people run. Those marked ` ```sh kernel ` need what not every kernel has, a device mapper or
 * arrays, and so do those marked `anew`, for when assembling an array does not do.
 */
export function commandsOf(
  page: string,
  heading: string,
  mark: 'restore' | 'kernel' | 'anew' = 'restore',
): string {
  const text = readFileSync(join(import.meta.dirname, '../../docs', page), 'utf8');
  const section = text.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  const marked = new RegExp(`^\`\`\`sh ${mark}\\n([^]*?)^\`\`\`$`, 'gm');
  const blocks = [...section.matchAll(marked)].map(([, commands = '']) => commands);
  if (blocks.length === 0) throw new Error(`${page} has no commands below ${heading}`);
  return blocks.join('');
}

export function contentOf(taken: Taken, name: string): string {
  const backup = taken.backups.find((each) => each.name === name);
  if (backup === undefined)
    throw new Error(`no ${name} among ${taken.backups.map((each) => each.name).join()}`);
  return Buffer.from(backup.content).toString('utf8');
}
