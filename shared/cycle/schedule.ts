import { createHash } from 'node:crypto';

/** The longest wait between two tries when the world is at fault, in milliseconds. */
const longestBackoff = 15 * 60_000;

/** How much later than its slot a poll may come, as a part of the interval. */
const jitter = 0.05;

/**
 * A host's own place in the interval, in [0, 1): stable over restarts and different between hosts, so that a
 * fleet spreads its polls and a server sees each host at the same rhythm.
 */
export function slotOf(fleet: string, host: string): number {
  const digest = createHash('sha256').update(`autark slot\0${fleet}\0${host}`).digest();
  return digest.readUInt32BE(0) / 2 ** 32;
}

export interface Rhythm {
  /** Milliseconds since the epoch; may be wrong, only its remainder matters. */
  readonly now: number;
  /** Milliseconds. */
  readonly interval: number;
  /** In [0, 1). */
  readonly slot: number;
  /** A random number in [0, 1). */
  readonly fraction: number;
  /** How many cycles in a row the world has been at fault. */
  readonly failures: number;
}

/**
 * Milliseconds until the next poll: the host's next slot plus a little jitter, or, while the world is at fault,
 * a random wait of at least half an interval, whose bound doubles with each failure, from two intervals on.
 */
export function waitFor({ now, interval, slot, fraction, failures }: Rhythm): number {
  if (failures > 0) return backoff(interval, failures, fraction);
  const sinceSlot = positiveRemainder(now - slot * interval, interval);
  return Math.max(1, Math.round(interval - sinceSlot + fraction * jitter * interval));
}

function backoff(interval: number, failures: number, fraction: number): number {
  const bound = Math.min(Math.max(longestBackoff, interval), interval * 2 ** Math.min(failures, 20));
  const least = interval / 2;
  return Math.round(least + fraction * (bound - least));
}

function positiveRemainder(value: number, modulus: number): number {
  return ((value % modulus) + modulus) % modulus;
}
