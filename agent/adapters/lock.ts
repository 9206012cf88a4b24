import { join } from 'node:path';
import type { Holder } from '../../shared/cycle/parse-holder.ts';
import { type Failure, fail, ok } from '../../shared/failure.ts';
import type { Bounds, Clock, LockManner, Locks } from '../ports.ts';
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
    async acquire(name, bounds, manner = {}) {
      const path = join(state, `${name}.lock`);
      try {
        // A machine whose settings were written for it, and whose key is the one it has, has no such folder yet.
        await makeFolder(state, 0o755);
        const claim = await makeClaim(path, manner.what ?? what);
        const waiting = { path, claim, bounds, clock, waitsFor: manner.waitsFor ?? (() => true) };
        const blocker = await waitFor(waiting).finally(() => withdraw(claim));
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

interface Waiting {
  readonly path: string;
  readonly claim: Claim;
  readonly bounds: Bounds;
  readonly clock: Clock;
  readonly waitsFor: NonNullable<LockManner['waitsFor']>;
}

interface Blocker {
  readonly holder: Holder;
  readonly isWaitedFor: boolean;
}

/** `null` once the lock is ours, else who still has it when the bounds end, or is not waited for. */
async function waitFor({ path, claim, bounds, clock, waitsFor }: Waiting): Promise<Blocker | null> {
  const end = clock.awake() + bounds.timeout;
  let known: Holder | undefined;
  for (;;) {
    const holder = await take(path, claim);
    if (holder === null) return null;
    const left = end - clock.awake();
    if (left <= 0 || bounds.signal.aborted) return { holder, isWaitedFor: true };
    if (holder.id !== known?.id && !waitsFor(holder)) return { holder, isWaitedFor: false };
    known = holder;
    await sleep(Math.min(pollInterval, left), bounds.signal);
  }
}

function locked(name: string, where: string, { holder, isWaitedFor }: Blocker, bounds: Bounds): Failure {
  const time = isWaitedFor ? Math.ceil(bounds.timeout / 1000) : 0;
  const waited = bounds.signal.aborted ? 'gave up waiting' : `waited ${time} s`;
  return {
    kind: 'locked',
    cause: `another autark holds the ${name} lock: process ${holder.pid} (${holder.what}); ${waited}`,
    where,
    remedy: `wait until process ${holder.pid} has ended, or end it (kill ${holder.pid}); then run this again`,
  };
}
