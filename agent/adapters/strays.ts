import { readdirSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { processStat } from './proc.ts';
import type { Account } from './process/account.ts';
import { endGroup } from './process/group.ts';
import { usualPatience } from './process/run.ts';

/**
 * Live processes of a user, our own if none is named, with this variable in the environment that they were started with
 * (proc(5)).
 */
export function processesWith(name: string, value: string, uid = process.geteuid?.()): number[] {
  const mark = `\0${name}=${value}\0`;
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => `\0${textOf(`/proc/${pid}/environ`)}`.includes(mark) && ownerOf(pid) === uid)
    .map(Number);
}

/**
 * Ends what a killed predecessor left running, such as a fetch from a server that hangs: each process group with a
 * process so marked. Only whoever holds `daemon.lock` may call it: then none of them is anybody else's.
 */
export async function endStrays(name: string, value: string, uid = process.geteuid?.()): Promise<void> {
  const groups = new Set(processesWith(name, value, uid).map((pid) => processStat(pid)?.group ?? 0));
  for (const group of groups) await endGroup(group, usualPatience.grace);
}

/** The arguments of a process, NUL after each; empty when it is gone. */
export function commandOf(pid: number): string {
  return textOf(`/proc/${pid}/cmdline`);
}

/** Milliseconds between two looks, and how long they may take together. */
const pause = 20;
const patience = 5000;

/**
 * Ends what still runs of a user whose programs only the agent starts; false when some of it cannot be ended. Only what
 * is in the agent's own control group (cgroups(7)), which nobody leaves without privileges: in a container on this
 * machine the same number may be somebody else.
 */
export async function endAllOf({ uid }: Account): Promise<boolean> {
  const group = textOf('/proc/self/cgroup');
  const end = performance.now() + patience;
  for (;;) {
    const left = readdirSync('/proc')
      .filter((pid) => /^\d+$/.test(pid) && realUserOf(pid) === uid)
      .filter((pid) => textOf(`/proc/${pid}/cgroup`) === group);
    if (left.length === 0) return true;
    if (performance.now() > end) return false;
    for (const pid of left) kill(Number(pid));
    await delay(pause);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function ownerOf(pid: string): number | undefined {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
}

/** The real user (proc_pid_status(5)): `/proc/PID` may show root for what must not be looked into. Zombies are none. */
function realUserOf(pid: string): number | undefined {
  const status = textOf(`/proc/${pid}/status`);
  const uid = /^Uid:\t(\d+)/m.exec(status)?.[1];
  return uid === undefined || /^State:\t[ZX]/m.test(status) ? undefined : Number(uid);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
