import { accessSync, constants } from 'node:fs';
import { describe } from 'vitest';
import { hasTree, type Tree, treeOf } from './rootfs.ts';

/** As Debian has them in `fdisk`, `gdisk`, `lvm2`, `cryptsetup-bin` and the packages of file systems. */
const diskPrograms = [
  ...['losetup', 'partx', 'sfdisk', 'sgdisk', 'pvcreate', 'cryptsetup'],
  ...['mkfs.ext4', 'mkfs.xfs', 'mkfs.btrfs', 'mkfs.vfat'],
];

/** What a machine may lack. Everything else that a test uses, `npm ci` and git provide. */
const needs = {
  root: { isMet: isRoot, hint: 'not root' },
  'ssh-keygen': { isMet: () => isOnPath('ssh-keygen'), hint: 'no ssh-keygen' },
  curl: { isMet: () => isOnPath('curl'), hint: 'no curl' },
  age: { isMet: () => isOnPath('age') && isOnPath('age-keygen'), hint: 'no age' },
  sshd: { isMet: () => isAt('/usr/sbin/sshd') && isOnPath('ssh'), hint: 'no sshd' },
  gitolite: { isMet: () => isOnPath('gitolite'), hint: 'no gitolite' },
  nginx: {
    isMet: () => isOnPath('nginx') && isOnPath('fcgiwrap') && isOnPath('openssl'),
    hint: 'no nginx with fcgiwrap and openssl',
  },
  faketime: { isMet: () => isOnPath('faketime'), hint: 'no faketime' },
  fish: { isMet: () => isOnPath('fish'), hint: 'no fish' },
  zsh: { isMet: () => isOnPath('zsh'), hint: 'no zsh' },
  'dpkg-deb': { isMet: () => isOnPath('dpkg-deb'), hint: 'no dpkg-deb' },
  mandoc: { isMet: () => isOnPath('mandoc'), hint: 'no mandoc' },
  nix: { isMet: () => isOnPath('nix'), hint: 'no nix' },
  npm: { isMet: () => isOnPath('npm'), hint: 'no npm' },
  nspawn: { isMet: () => isRoot() && isOnPath('systemd-nspawn'), hint: 'not root, or no systemd-nspawn' },
  network: { isMet: () => isRoot() && isOnPath('ip'), hint: 'not root, or no ip' },
  ext4: {
    isMet: () => isRoot() && isOnPath('mkfs.ext4') && isOnPath('losetup') && isOnPath('perl'),
    hint: 'not root, or no mkfs.ext4, losetup and perl',
  },
  disks: {
    isMet: () => isRoot() && diskPrograms.every(isOnPath),
    hint: 'not root, or a program for disks is missing: fdisk, gdisk, lvm2, cryptsetup, dosfstools, xfsprogs, btrfs-progs',
  },
  loops: {
    isMet: () => isRoot() && ['losetup', 'partx', 'sfdisk', 'blkid', 'wipefs', 'mkfs.ext4'].every(isOnPath),
    hint: 'not root, or no losetup, partx, sfdisk, blkid, wipefs and mkfs.ext4',
  },
  lvm: { isMet: () => isOnPath('lvm'), hint: 'no lvm' },
  mdadm: { isMet: () => isOnPath('mdadm'), hint: 'no mdadm' },
  cryptsetup: { isMet: () => isOnPath('cryptsetup'), hint: 'no cryptsetup' },
  trixie: tree('trixie'),
  sid: tree('sid'),
  emulated: {
    isMet: () => isRoot() && hasTree('emulated') && isOnPath('qemu-system-x86_64') && isOnPath('mke2fs'),
    hint: `not root, or no qemu-system-x86_64, no mke2fs or no ${treeOf('emulated')}: test/rig/rootfs emulated`,
  },
} as const;
export type Need = keyof typeof needs;

/** Put in front of the name of what is left out, so that the closing lines can say why. */
export const leftOut = 'left out: ';

/**
 * `describe` for tests that need something of the machine. Where it is missing they are left out by name; with
 * `AUTARK_TEST_ALL=1`, as in CI, they run and fail.
 */
export function describeWith(wanted: readonly Need[], name: string, tests: () => void): void {
  const missing = wanted.filter((need) => !needs[need].isMet());
  if (missing.length === 0 || process.env['AUTARK_TEST_ALL'] === '1') {
    describe(name, tests);
    return;
  }
  const why = missing.map((need) => needs[need].hint).join(', ');
  describe.runIf(false)(`${leftOut}${name} (${why})`, tests);
}

function tree(suite: Tree) {
  return { isMet: () => hasTree(suite), hint: `no ${treeOf(suite)}: test/rig/rootfs ${suite}` };
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => isAt(`${folder}/${program}`));
}

function isAt(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
