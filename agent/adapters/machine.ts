import { createHash } from 'node:crypto';
import { readFile, readdir, realpath } from 'node:fs/promises';
import { arch, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { MachineFacts } from '../../shared/record/status.ts';
import { oneLine } from '../../shared/printable.ts';
import type { Machine } from '../ports.ts';
import { bootId } from './proc.ts';
import { isFull } from './space.ts';

export interface MachineOptions {
  /** `/`, or the folder of `--root`. Below it may be another `etc`; the kernel is always this machine's. */
  readonly root: string;
  /** The agent's state folder, absolute. */
  readonly state: string;
  /** The kernel's block devices; another folder in tests. */
  readonly blockDevices?: string;
}

/** The machine as the kernel and `/etc` describe it. What cannot be read is said to be unknown. */
export function linuxMachine({ root, state, blockDevices = '/sys/block' }: MachineOptions): Machine {
  return {
    async facts(fleet) {
      return {
        id: hashedId(fleet, await firstOf([join(root, 'etc/machine-id'), '/etc/machine-id'])),
        boot: bootId(),
        os: prettyName(
          await firstOf([join(root, 'etc/os-release'), '/etc/os-release', '/usr/lib/os-release']),
        ),
        kernel: tidy(release()),
        cpu: processor(),
        memory: totalmem(),
        disks: await disksIn(blockDevices),
      };
    },
    isFull: () => isFull(state),
    needsReboot: ({ kind, path }) => (kind === 'nixos' ? bootedOther(root, path) : saysReboot(root)),
  };
}

/** What of a NixOS system is loaded at boot and stays (nixpkgs, nixos/modules/system/boot/kernel.nix, stage-1.nix). */
const bootParts = ['kernel', 'initrd', 'kernel-modules'];

async function bootedOther(root: string, system: string): Promise<boolean | null> {
  const booted = join(root, 'run/booted-system');
  const whole = await targetOf(booted);
  if (whole === null) return null;
  const pairs = await Promise.all(
    bootParts.map((part) => Promise.all([targetOf(join(booted, part)), targetOf(join(system, part))])),
  );
  return pairs.some(([before, now]) => before !== now);
}

function targetOf(path: string): Promise<string | null> {
  return realpath(path).catch(() => null);
}

/** Debian and its kin leave this file (Debian Policy, 9.12); its absence says only that nobody has asked. */
async function saysReboot(root: string): Promise<boolean | null> {
  return (await textOf(join(root, 'run/reboot-required'))) === null ? null : true;
}

const unknown = 'unknown';

/** Names come from firmware: one line, and not a long one. */
function tidy(text: string): string {
  return oneLine(text).slice(0, 120) || unknown;
}

async function textOf(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}

async function firstOf(paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    const text = await textOf(path);
    if (text !== null) return text;
  }
  return '';
}

/**
 * machine-id(5) asks that the id itself stays private and is hashed with a key of the application: SHA-256
 * over `autark machine`, NUL, the fleet, NUL, the id, so that two fleets cannot compare their machines.
 */
function hashedId(fleet: string, file: string): string {
  const id = file.trim();
  if (id === '' || id === 'uninitialized') return unknown;
  return createHash('sha256').update(`autark machine\0${fleet}\0${id}`).digest('hex');
}

/** `PRETTY_NAME` of os-release(5), whose values are quoted as in a shell. */
function prettyName(file: string): string {
  const value = /^PRETTY_NAME=(.*)$/m.exec(file)?.[1]?.trim() ?? '';
  const quoted = /^(["'])(.*)\1$/.exec(value);
  if (quoted?.[1] === "'") return tidy(quoted[2] ?? '');
  return tidy((quoted?.[2] ?? value).replace(/\\(.)/g, '$1'));
}

function processor(): string {
  const model = tidy(cpus()[0]?.model ?? '');
  return model === unknown ? arch() : model;
}

/** Virtual devices, and drives that come and go with a medium. */
const notDisks = /^(loop|ram|zram|dm-|md|sr|fd)/;

/** Sorted by what is shown: the kernel's own names change places between boots. */
async function disksIn(folder: string): Promise<MachineFacts['disks']> {
  const names = await readdir(folder).catch(() => []);
  const disks = await Promise.all(
    names.filter((name) => !notDisks.test(name)).map((name) => disk(join(folder, name))),
  );
  return disks
    .filter((one) => one.size > 0)
    .sort((a, b) => (a.model < b.model ? -1 : a.model > b.model ? 1 : a.size - b.size));
}

/** `size` counts sectors of 512 bytes, whatever the disk's own are (Linux, Documentation/ABI/stable/sysfs-block). */
async function disk(home: string): Promise<{ model: string; size: number }> {
  const sectors = Number((await textOf(join(home, 'size')))?.trim() ?? '');
  const size = Number.isSafeInteger(sectors) ? sectors * 512 : 0;
  return { model: tidy((await textOf(join(home, 'device/model'))) ?? ''), size };
}
