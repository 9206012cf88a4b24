import { slotOf, waitFor } from '../shared/cycle/schedule.ts';
import { isOfTheWorld, type Result } from '../shared/failure.ts';
import type { Ended } from './ending.ts';
import type { Wakes } from './newer.ts';
import type { Clock, Log, Random } from './ports.ts';
import type { Bell } from './wakes.ts';

/** The longest wait after a cycle that could not even begin, in milliseconds. */
const impatience = 15_000;

/** What the daemon keeps between cycles, which is almost nothing: each cycle reads its own files. */
export interface Daemon {
  readonly bell: Bell;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Runs one cycle under the cycle lock, settings and journal read anew. */
  readonly runCycle: (wakes: Wakes) => Promise<Result<CycleReport>>;
}

/** How a cycle ended, and at which pace the next one is due. */
export interface CycleReport extends Ended {
  readonly fleet: string;
  readonly host: string;
  /** Milliseconds. */
  readonly interval: number;
  /** Milliseconds since the epoch at which what stands ends by itself. */
  readonly until?: number;
}

/**
 * Sleeps, wakes, and runs one cycle at a time, the first at once. Ends with an exit code when the signal is
 * aborted (0) or when this host has nothing left to do (13), or another agent
 * is to go on.
 */
export async function runDaemon(daemon: Daemon): Promise<number> {
  let failures = 0;
  let pace: Pace = { fleet: '', host: '', interval: 60_000 };
  while (!daemon.signal.aborted) {
    const ran = await daemon.runCycle(daemon.bell);
    if (ran.ok) {
      const { code, next } = ran.value;
      if (next === 'stop' || next === 'hand over') return code;
      if (next === 'again') continue;
      failures = next === 'retry' ? failures + 1 : 0;
      pace = ran.value;
    } else {
      const { kind } = ran.failure;
      failures = isOfTheWorld(kind) ? failures + 1 : 0;
      daemon.log({ kind: 'failure', host: pace.host, stage: 'poll', failure: ran.failure });
    }
    const wait = waitOf(daemon, pace, failures);
    // Without settings, key or journal a look costs next to nothing, and a person may be at it right now.
    await daemon.bell.nextWithin(
      ran.ok || isOfTheWorld(ran.failure.kind) ? wait : Math.min(wait, impatience),
      daemon.signal,
    );
  }
  return 0;
}

type Pace = Pick<CycleReport, 'fleet' | 'host' | 'interval' | 'until'>;

/** A hold or a pause that ends before the next poll is due is what the daemon wakes for. */
function waitOf({ clock, random }: Daemon, { fleet, host, interval, until }: Pace, failures: number): number {
  const now = clock.now();
  const wait = waitFor({ now, interval, slot: slotOf(fleet, host), fraction: random.fraction(), failures });
  return until === undefined || until <= now ? wait : Math.min(wait, until - now);
}
