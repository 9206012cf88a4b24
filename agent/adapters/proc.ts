import { readFileSync } from 'node:fs';
import type { Child } from '../../shared/cycle/phase.ts';

/** What `/proc/PID/stat` says that tells one process from a later one with its number. */
export interface ProcessStat {
  /** One letter; `Z` is a zombie: ended, but not yet waited for. */
  readonly state: string;
  /** The process group. */
  readonly group: number;
  /** Clock ticks since boot, field 22. */
  readonly started: number;
}

/** Fields 3, 5 and 22 of proc_pid_stat(5), `null` when the text is not that. The name may hold anything. */
export function parseProcessStat(text: string): ProcessStat | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, , group, started] = [fields[0], fields[1], fields[2], fields[19]];
  if (state === undefined || !/^[A-Za-z]$/.test(state)) return null;
  if (group === undefined || started === undefined || !/^\d+$/.test(started)) return null;
  return { state, group: Number(group), started: Number(started) };
}

/** `null` when there is no such process, or none that this user may see. */
export function processStat(pid: number): ProcessStat | null {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return null;
  }
}

/** When the process began, in clock ticks since boot; `null` when there is none. A zombie still counts. */
export function processStart(pid: number): number | null {
  return processStat(pid)?.started ?? null;
}

/** The kernel's random boot id (random(4)); empty where the kernel does not say. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}

/** This very process, as others recognise it. */
export function thisProcess(): Child {
  return { pid: process.pid, started: processStart(process.pid) ?? 0, boot: bootId() };
}

/**
 * Whether that very process may still act. A zombie cannot. Where `/proc` hides the process but the kernel
 * knows its number, it counts as alive: missing knowledge permits nothing (P4).
 */
export function isAlive(child: Child): boolean {
  if (child.boot !== bootId()) return false;
  const stat = processStat(child.pid);
  if (stat === null) return exists(child.pid);
  return stat.started === child.started && stat.state !== 'Z' && stat.state !== 'X';
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
