import { createHash } from 'node:crypto';
import type { DisksSeen } from '../cycle/journal.ts';

/** What a look is known by: what was there, and to whom what it found was sealed. */
export function seenAs(glance: string, readers: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([glance, readers]))
    .digest('hex');
}

const hour = 3_600_000;

/**
 * Whether it is time to look at all disks: something is not as it was, a day went by, or an hour since a look that failed.
 * A clock that was put back makes nothing wait longer than that.
 * @param now milliseconds since the epoch
 */
export function lookAgain(seen: DisksSeen | null, glance: string, now: number): boolean {
  if (seen === null || seen.glance !== glance || now < seen.at) return true;
  return now - seen.at >= (seen.isFailed === true ? hour : 24 * hour);
}
