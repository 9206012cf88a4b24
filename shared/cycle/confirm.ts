import type { Failure } from '../failure.ts';
import type { Check } from '../health/check.ts';

/** How an activation ended, as far as it could be observed. */
export type Activation =
  { readonly how: 'exited'; readonly code: number } | { readonly how: 'failed'; readonly reason: string };

/**
 * What `bin/switch-to-configuration` says by its exit code: 0 done, 4 done but units failed, 100 reboot
 * required. Where failed units are compared with those of before, 4 says nothing new.
 * @param seesUnits whether they are
 */
export type Verdict =
  | { readonly good: true; readonly rebootRequired: boolean }
  | { readonly good: false; readonly cause: string };

export function judge(activation: Activation, seesUnits = false): Verdict {
  if (activation.how === 'failed') return { good: false, cause: activation.reason };
  switch (activation.code) {
    case 0:
      return { good: true, rebootRequired: false };
    case 100:
      return { good: true, rebootRequired: true };
    case 4:
      if (seesUnits) return { good: true, rebootRequired: false };
      return { good: false, cause: 'its activation was done, but units failed (exit code 4)' };
    default:
      return { good: false, cause: `its activation exited with code ${activation.code}` };
  }
}

/** Milliseconds beyond all that a switch may take before it counts as given up by its agent. */
const margin = 60_000;

/**
 * Milliseconds awake within which a generation must be confirmed, or the watchdog goes back.
 * @param timeout of the activation
 * @param fetch of a fetch, which confirming takes at least
 * @param checks that the generation has to pass, all looked at at once
 */
export function deadlineOf(timeout: number, fetch: number, checks: readonly Check[] = []): number {
  const longest = checks.map((check) => (check.retries + 1) * (check.timeout + breath) + check.soak);
  return timeout + fetch + Math.max(0, ...longest) + margin;
}

/** Milliseconds that the rest of a machine which has just booted may take to start before it is looked at. */
export const startUp = 2 * 60_000;

/** The same for a generation that the machine boots into: the rest of the machine starts first. */
export function bootDeadlineOf(timeout: number, fetch: number, checks: readonly Check[] = []): number {
  return startUp + deadlineOf(timeout, fetch, checks);
}

/** Milliseconds between two tries of a check. */
export const breath = 1000;

/** The failure of a switch, before it is known whether the host could go back. */
export function switchFailure(generation: number, cause: string, tail: string): Failure {
  return {
    kind: 'switch-failed',
    cause: `generation ${generation} could not be activated: ${cause}`,
    where: `generation ${generation}`,
    remedy: 'mend the configuration and push; the host tries the next revision that changes it',
    ...(tail === '' ? {} : { detail: tail }),
  };
}

/** The same where a person wanted that generation: no revision is at fault. */
export function backFailure(generation: number, cause: string, tail: string): Failure {
  return {
    ...switchFailure(generation, cause, tail),
    remedy: 'look at the machine; once it shall follow its branch again, run `autark resume` on it',
  };
}

/** The same failure where the host could not go back either (41). */
export function stuck(failure: Failure, cause: string): Failure {
  return {
    ...failure,
    kind: 'switch-stuck',
    cause: `${failure.cause}; ${cause}`,
    remedy:
      'look at the machine: what runs may be half of each generation; a newer revision with another system is still tried',
  };
}
