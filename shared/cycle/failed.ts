import { createHash } from 'node:crypto';
import { exitCode, isOfTheWorld, type Failure } from '../failure.ts';
import type { Host } from '../fleet/fleet.ts';
import type { Aim } from './aim.ts';
import type { BuiltSystem, FailedSystem, Journal } from './journal.ts';
import { attempts, type Tried } from './phase.ts';

/** Where the journal keeps what failed. */
type Memory = Pick<Journal, 'failed' | 'failedTrial'>;

/** What is switched to, as it is known again later. */
export function triedOf(
  { digest, path, agent, secrets }: Pick<BuiltSystem, 'digest' | 'path' | 'agent' | 'secrets'>,
  host: Terms,
): Tried {
  // With another agent, or other secrets, it is another thing to try.
  const whole = [digest, agent, secrets].filter((each) => each !== undefined).join(' ');
  return { digest: whole, path, terms: termsOf(host) };
}

/** What a host's new generation is judged by, besides what it is. */
type Terms = Pick<Host, 'health' | 'timeouts' | 'activate'>;

/**
 * A digest of the terms. Who mends a health check, allows more time or has it activated at boot changes no system, and
 * yet has done something about the failure: the system is tried once more then.
 */
function termsOf({ health, timeouts, activate }: Terms): string {
  return createHash('sha256')
    .update(JSON.stringify([health, timeouts.switch, activate]))
    .digest('hex');
}

/**
 * The failure that forbids to activate what an aim is about; `undefined` when nothing does. A revision that failed is
 * known without a build, also where its builds are never the same twice; another one by its system. What is tried on
 * `testing/<host>` is known by its revision alone: each push there asks for a try.
 * @param tried once it is built
 */
export function failedBefore(memory: Memory, aim: Aim, tried?: Tried): FailedSystem | undefined {
  const before = lastOf(memory, aim, tried);
  return before !== undefined && isFinal(before) ? before : undefined;
}

/** What is remembered of the same revision or system, whoever was at fault. */
function lastOf({ failed, failedTrial }: Memory, aim: Aim, tried?: Tried): FailedSystem | undefined {
  const last = aim.isTrial ? failedTrial : failed;
  if (last === null) return undefined;
  const isSame = !aim.isTrial && last.digest === tried?.digest && last.terms === tried.terms;
  return isSame || last.revision === aim.revision ? last : undefined;
}

function isFinal({ code }: FailedSystem): boolean {
  return code === exitCode('switch-failed') || code === exitCode('switch-stuck');
}

/** A switch that was undone, or could not be. */
export interface Undone {
  readonly aim: Aim;
  /** Absent where nothing is to be remembered. */
  readonly tried: Tried | undefined;
  readonly failure: Failure;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface Weighed {
  readonly failure: Failure;
  readonly change: Partial<Memory>;
}

/**
 * What is said and remembered of an undone switch. A fault of the world is no fault of the system, until it has come
 * up so often that to go on trying would be a loop.
 */
export function weigh(memory: Memory, { aim, tried, failure, now }: Undone): Weighed {
  if (tried === undefined) return { failure, change: {} };
  const times = (lastOf(memory, aim, tried)?.attempts ?? 0) + 1;
  const isEnough = isOfTheWorld(failure.kind) && times >= attempts.world;
  const said = isEnough ? enough(failure, times) : failure;
  const { revision } = aim;
  const last: FailedSystem = {
    ...{ digest: tried.digest, path: tried.path, terms: tried.terms, revision, attempts: times },
    ...{ code: exitCode(said.kind), cause: said.cause, at: now },
  };
  return { failure: said, change: aim.isTrial ? { failedTrial: last } : { failed: last } };
}

function enough(failure: Failure, times: number): Failure {
  return {
    ...failure,
    kind: 'switch-failed',
    cause: `${failure.cause}; that was attempt ${times} of this system, so it counts as failed now`,
    remedy:
      'look on the host why that comes up whenever this system is activated; then push a revision with another system, ' +
      'or run `autark resume` on the host to try this one again',
  };
}

/** Why a system is not activated that failed before. The code is that of the failure: it stands. */
export function refusal({ revision, code, cause }: FailedSystem, aim: Aim): Failure {
  const isStuck = code === exitCode('switch-stuck');
  const what = revision === aim.revision ? 'this revision' : 'the system of this revision';
  return {
    kind: isStuck ? 'switch-stuck' : 'switch-failed',
    cause: `${what} is not activated, for it failed on this host before, at ${revision.slice(0, 7)}: ${cause}`,
    where: `revision ${revision}`,
    remedy:
      (isStuck ? 'look at the machine first: what runs may be half of each generation; then ' : '') +
      'push a revision that changes the system or what it is judged by (health, timeouts.switch, activate), ' +
      'or run `autark resume` on the host to try it once more',
  };
}

/** What `resume` takes out of the journal; `undefined` when nothing had failed. What stood is looked at again. */
export function forgotten({ failed, failedTrial, standing, trial }: Journal): Partial<Journal> | undefined {
  if (failed === null && failedTrial === null) return undefined;
  return {
    ...{ failed: null, failedTrial: null },
    standing: standing === null ? null : { ...standing, until: 0 },
    trial: trial === null ? null : { ...trial, until: 0 },
  };
}
