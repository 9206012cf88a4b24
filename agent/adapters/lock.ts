import { join } from 'node:path';
import type { Holder } from '../../shared/cycle/parse-holder.ts';
import { type Failure, fail, ok } from '../../shared/failure.ts';
import type { Bounds, Clock, Locks } from '../ports.ts';
import { sleep } from './clock.ts';
import { makeFolder } from './durable.ts';
import { fileFailure } from './file-failure.ts';
import { type Claim, makeClaim, release, removeGuards, take, withdraw } from './lock-claim.ts';

/** Milliseconds between two looks at a lock that somebody holds. */
const pollInterval = 25;

/**
 * `daemon.lock` and `cycle.lock` in the state folder. A dead holder's lock is taken over; a live holder is
 * waited for until the bounds end, at least one look. Fails with `locked`, or as fileFailure says.
 * @param state the agent's state folder, absolute
 * @param what what this process does, for whoever has to wait: `autark agent`
 */
export function fileLocks(state: string, what: string, clock: Clock): Locks {
  return {
    async acquire(name, bounds) {
      const path = join(state, `${name}.lock`);
      try {
        // A machine whose settings were written for it, and whose key is the one it has, has no such folder yet.
        await makeFolder(state, 0o755);
        const claim = await makeClaim(path, what);
        const blocker = await waitFor(path, claim, bounds, clock).finally(() => withdraw(claim));
        if (blocker !== null) return fail(locked(name, path, blocker, bounds));
        // Only tidiness: a lock that is ours must not fail for it, or it would be held and lost.
        await removeGuards(path).catch(() => undefined);
        return ok(() => release(path, claim));
      } catch (error) {
        return fail(fileFailure(error, `take the ${name} lock`, path));
      }
    },
  };
}

/** `null` once the lock is ours, else who still has it when the bounds end. */
async function waitFor(path: string, claim: Claim, bounds: Bounds, clock: Clock): Promise<Holder | null> {
  const end = clock.awake() + bounds.timeout;
  for (;;) {
    const holder = await take(path, claim);
    const left = end - clock.awake();
    if (holder === null || left <= 0 || bounds.signal.aborted) return holder;
    await sleep(Math.min(pollInterval, left), bounds.signal);
  }
}

function locked(name: string, where: string, holder: Holder, bounds: Bounds): Failure {
  const waited = bounds.signal.aborted ? 'gave up waiting' : `waited ${Math.ceil(bounds.timeout / 1000)} s`;
  return {
    kind: 'locked',
    cause: `another autark holds the ${name} lock: process ${holder.pid} (${holder.what}); ${waited}`,
    where,
    remedy: `wait until process ${holder.pid} has ended, or end it (kill ${holder.pid}); then run this again`,
  };
}
