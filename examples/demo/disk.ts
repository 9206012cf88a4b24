import { appendFile, chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeLsblk, systemPath } from '../../test/rig/fake-lsblk.ts';
import { must, run } from '../../test/rig/run.ts';

/** What the story formats: a block device where the demo has the rights for one, else a file that stands for it. */
export interface Disk {
  /** What it is, for the reader. */
  readonly name: string;
  /** A person types it who approves that the disk is emptied; `null` for a file, which nobody need approve. */
  readonly serial: string | null;
  /** A `PATH` on which it is the only disk of the machine. */
  readonly searchPath: string;
  /** What `fleet.yaml` says of the step besides its name and program, as a flow mapping has it. */
  readonly destroys: string;
  /** The shell program that formats it under a name. */
  format(label: string): string;
  /** Puts it where a machine with this root looks for it. */
  attach(root: string): Promise<void>;
  /** Leaves a letter in what was formatted. */
  write(letter: string): Promise<void>;
  read(): Promise<string>;
  end(): Promise<void>;
}

export async function makeDisk(): Promise<Disk> {
  const folder = await mkdtemp(join(tmpdir(), 'autark-demo-disk-'));
  const device = process.getuid?.() === 0 ? await loopDevice(folder) : undefined;
  if (device !== undefined) return realDisk(folder, device);
  await rm(folder, { recursive: true });
  return fileDisk();
}

const env = { PATH: systemPath, LC_ALL: 'C' };
const id = 'ata-DEMO_D1SK0FWEB1';

/** Fails quietly where the kernel has none to give, as in many containers, or a program is missing. */
async function loopDevice(folder: string): Promise<string | undefined> {
  for (const program of ['mkfs.ext4', 'debugfs', 'sfdisk', 'wipefs', 'blkid']) {
    if ((await run('sh', ['-c', `command -v ${program}`], { env })).code !== 0) return undefined;
  }
  const image = join(folder, 'image');
  await must('truncate', ['--size', '16M', image], { env });
  const made = await run('losetup', ['--find', '--show', image], { env });
  return made.code === 0 ? made.stdout.trim() : undefined;
}

async function realDisk(folder: string, device: string): Promise<Disk> {
  const serial = 'D1SK0FWEB1';
  const lsblk = join(folder, 'lsblk');
  await writeFile(lsblk, fakeLsblk([{ loop: device, model: 'Demo disk', serial, ids: [id] }]));
  await chmod(lsblk, 0o755);
  const letter = join(folder, 'letter');
  let isOver = false;
  return {
    ...{ name: `a real block device, ${device}`, serial, searchPath: `${folder}:${systemPath}` },
    destroys: `, destroys: [/dev/disk/by-id/${id}]`,
    format: (label) =>
      `#!/bin/sh\nset -eu\nmkfs.ext4 -q -F -L ${label} "$AUTARK_ROOT/dev/disk/by-id/${id}"\n`,
    async attach(root) {
      const byId = join(root, 'dev/disk/by-id');
      await mkdir(byId, { recursive: true });
      await symlink(device, join(byId, id));
    },
    async write(text) {
      await writeFile(letter, text);
      await must('debugfs', ['-w', '-R', `write ${letter} letter`, device], { env });
    },
    read: () => must('debugfs', ['-R', 'cat letter', device], { env }),
    async end() {
      // Once: its number may be somebody else's by then.
      if (isOver) return;
      isOver = true;
      await run('losetup', ['--detach', device], { env });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function fileDisk(): Disk {
  let file = '';
  return {
    ...{ name: 'for want of rights, a file', serial: null, destroys: '' },
    searchPath: process.env['PATH'] ?? systemPath,
    format: (label) => `#!/bin/sh\nset -eu\necho "file system ${label}" >"$AUTARK_ROOT/disk"\n`,
    attach(root) {
      file = join(root, 'disk');
      return Promise.resolve();
    },
    write: (letter) => appendFile(file, letter),
    read: async () => (await readFile(file, 'utf8')).trim().split('\n').slice(1).join('\n'),
    end: () => Promise.resolve(),
  };
}
