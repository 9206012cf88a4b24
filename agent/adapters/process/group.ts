import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from '../file-failure.ts';
import { processStat } from '../proc.ts';

/** Milliseconds to wait for a group that was sent SIGKILL: the kernel ends it, unless a disk hangs. */
const killWait = 2000;

/** Sends a signal to a whole process group (kill(2)); false when there is no such group. */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  // 0 and 1 would mean our own group and everybody.
  if (!Number.isInteger(group) || group < 2) return false;
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/**
 * The oldest start time, in ticks since boot, in a process group; `null` when nothing of it runs. Zombies,
 * which a lazy process 1 may keep for ever, do not count.
 */
export function groupStart(group: number): number | null {
  if (!signalGroup(group, 0)) return null;
  let oldest: number | null = null;
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? processStat(Number(name)) : null;
    if (stat?.group !== group || stat.state === 'Z' || stat.state === 'X') continue;
    if (oldest === null || stat.started < oldest) oldest = stat.started;
  }
  return oldest;
}

/** Asks a group to end, waits for at most `grace` milliseconds, ends it whole, and waits until it is gone. */
export async function endGroup(group: number, grace: number): Promise<void> {
  if (!signalGroup(group, 'SIGTERM')) return;
  if (await isGone(group, grace)) return;
  await killGroup(group);
}

/** Ends a group without asking, and waits until it is gone. */
export async function killGroup(group: number): Promise<void> {
  if (!signalGroup(group, 'SIGKILL')) return;
  await isGone(group, killWait);
}

/** Looks again until the group is gone or the time is over, seldom if it takes long. */
async function isGone(group: number, within: number): Promise<boolean> {
  const end = performance.now() + within;
  for (let pause = 1; ; pause = Math.min(2 * pause, 50)) {
    if (groupStart(group) === null) return true;
    const left = end - performance.now();
    if (left <= 0) return false;
    await delay(Math.min(pause, left));
  }
}
