import type { Clock } from '../ports.ts';

/** `awake` is CLOCK_MONOTONIC of clock_gettime(2): it stands still while the machine sleeps and never jumps. */
export function systemClock(): Clock {
  return { now: () => Date.now(), awake: () => performance.now() };
}

/** The longest wait that one Node timer can take, in milliseconds. */
const longestTimer = 2 ** 31 - 1;

/**
 * Resolves after that many milliseconds awake, or at once when the signal aborts; the caller looks at the
 * signal. Never early, and any length will do, `Infinity` included.
 */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  const end = performance.now() + ms;
  for (let left = ms; left > 0 && !signal.aborted; left = end - performance.now()) {
    await timer(Math.min(Math.ceil(left), longestTimer), signal);
  }
}

function timer(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timeout);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timeout = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
