import { chmodSync, copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { treeOf } from './rootfs.ts';
import { must } from './run.ts';

/** Where the machine's shell listens. */
export const shellPort = 7000;

/** The length of a script and a line end, the script, and what it reads; then its code, the length of its output, both streams. */
const shell = `#!/bin/bash
folder=$(mktemp -d /run/shell.XXXXXX)
read -r length
head -c "$length" >"$folder/script"
cd /root
bash "$folder/script" >"$folder/out" 2>"$folder/err"
code=$?
echo "$code $(stat -c %s "$folder/out")"
cat "$folder/out" "$folder/err"
rm -r "$folder"
`;

const socket = `[Socket]
ListenStream=${shellPort}
Accept=yes
`;

const service = `[Service]
ExecStart=/usr/local/sbin/shell
StandardInput=socket
StandardOutput=socket
StandardError=journal
Environment=HOME=/root LC_ALL=C.UTF-8
KillMode=process
TimeoutStopSec=5
`;

/** Nobody needs them there, and each takes its time where every instruction is emulated. */
const masked = [
  ...['getty.target', 'systemd-logind.service', 'systemd-user-sessions.service', 'ssh.service'],
  ...['nix-daemon.service', 'nix-daemon.socket', 'e2scrub_reap.service', 'blk-availability.service'],
  ...['apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer', 'e2scrub_all.timer'],
  ...['fstrim.timer', 'modprobe@drm.service', 'modprobe@efi_pstore.service', 'modprobe@fuse.service'],
  ...['dev-hugepages.mount', 'dev-mqueue.mount', 'sys-kernel-debug.mount', 'sys-kernel-tracing.mount'],
];

export interface Root {
  /** A folder that may be filled. */
  readonly dir: string;
  readonly image: string;
  readonly name: string;
  /** Files of this machine, and where the emulated one has them. */
  readonly files: Readonly<Record<string, string>>;
}

/** Makes the disk that it boots from: the tree, with a shell that the outside can ask for. */
export async function makeRoot({ dir, image, name, files }: Root): Promise<void> {
  const own = join(dir, 'own');
  const put = (path: string, text: string, mode = 0o644): void => {
    const file = join(own, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, mode);
  };
  const link = (path: string, to: string): void => {
    mkdirSync(dirname(join(own, path)), { recursive: true });
    symlinkSync(to, join(own, path));
  };
  const units = 'etc/systemd/system';
  put('etc/hostname', `${name}\n`);
  put('etc/machine-id', `${randomBytes(16).toString('hex')}\n`);
  put('usr/local/sbin/shell', shell, 0o755);
  put(`${units}/shell.socket`, socket);
  put(`${units}/shell@.service`, service);
  link(`${units}/sockets.target.wants/shell.socket`, '../shell.socket');
  for (const unit of masked) link(`${units}/${unit}`, '/dev/null');
  for (const [from, to] of Object.entries(files)) {
    mkdirSync(dirname(join(own, to)), { recursive: true });
    copyFileSync(from, join(own, to));
  }
  await pack(dir, own, image);
  rmSync(own, { recursive: true });
}

/** The mount goes with its namespace, whatever happens. */
async function pack(dir: string, own: string, image: string): Promise<void> {
  const script = [
    'set -eu',
    'mkdir "$1/root"',
    'mount -t overlay overlay -o "lowerdir=$2:$3" "$1/root"',
    'truncate --size 3G "$4"',
    'mke2fs -q -F -t ext4 -m 0 -E lazy_itable_init=1,lazy_journal_init=1 -d "$1/root" "$4"',
  ].join('\n');
  const call = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'pack'];
  const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
  await must('unshare', [...call, dir, own, treeOf('emulated'), image], { env });
}
