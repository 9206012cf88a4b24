import type { Wakes } from './newer.ts';

/** Requests for a poll: any number made while nobody waits count as one. */
export interface Bell extends Wakes {
  /** Like `next`, and also after so many milliseconds. */
  nextWithin(ms: number, signal: AbortSignal): Promise<void>;
}

/** The longest delay that a timer of Node takes, in milliseconds; longer waits simply poll once in between. */
const longestTimer = 2 ** 31 - 1;

/** @param period milliseconds between polls while a cycle is busy with a build */
export function makeBell(period: () => number): Bell {
  let isRung = false;
  const waiting = new Set<() => void>();
  const nextWithin = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (isRung || signal.aborted) {
        // Whoever is told to stop does not take the request: it is for the next one to wait.
        if (!signal.aborted) isRung = false;
        resolve();
        return;
      }
      const done = (): void => {
        clearTimeout(timer);
        waiting.delete(ring);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const ring = (): void => {
        isRung = false;
        done();
      };
      const timer = setTimeout(done, Math.min(ms, longestTimer));
      waiting.add(ring);
      signal.addEventListener('abort', done);
    });
  return {
    nextWithin,
    next: (signal) => nextWithin(period(), signal),
    request() {
      isRung = true;
      for (const ring of [...waiting]) ring();
    },
  };
}
