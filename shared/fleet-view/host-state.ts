import { driftRemedy } from '../cycle/drift.ts';
import type { Host } from '../fleet/fleet.ts';
import type { ObjectId } from '../objects/object.ts';
import type { StateRecord } from '../record/tip.ts';

/** What a reader says of a host, in one word. */
export const hostStates = [
  'converged',
  'building',
  'held',
  'failed',
  'silent',
  'paused',
  'drifted',
  'testing',
  'retired',
  'unapproved',
] as const;
export type HostState = (typeof hostStates)[number];

/** What was read of a host's history: `problem` says why it is not good (S8), `record` is what it claims. */
export interface Claim {
  readonly record: StateRecord | null;
  readonly problem: string | null;
}

/** Everything that one line of the status depends on. */
export interface Observation {
  readonly name: string;
  /** `null` when `fleet.yaml` does not name it. */
  readonly host: Host | null;
  readonly head: ObjectId;
  /** The tip of its state branch, or its genesis while there is none; `null` when there is neither. */
  readonly claim: Claim | null;
  /** How many machines wait under this name. */
  readonly waiting: number;
  /** Configuration commits between what it runs and the head; `null` when not known. */
  readonly behind: number | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** One host as `autark status --json` shows it. */
export interface HostView {
  readonly host: string;
  readonly state: HostState;
  readonly cause: string | null;
  readonly code: number | null;
  readonly revision: ObjectId | null;
  readonly behind: number | null;
  readonly generation: number | null;
  /** RFC 3339: since when the state holds, as far as the records say. */
  readonly since: string | null;
  readonly verified: boolean;
}

interface Verdict {
  readonly state: HostState;
  readonly cause: string | null;
  readonly since: string | null;
}

/**
 * The line for one host. A record that is not good never makes a host look well: its content is shown, and
 * the state is `failed` with the reason.
 */
export function hostView(observation: Observation): HostView {
  const { name, claim, behind } = observation;
  const record = claim?.record ?? null;
  const { state, cause, since } = verdict(observation);
  return {
    host: name,
    state,
    cause,
    code: record?.code ?? null,
    revision: record?.revision ?? null,
    behind,
    generation: record?.generation ?? null,
    since,
    verified: claim !== null && claim.problem === null,
  };
}

/** What the fleet's file says outweighs what a host says; what cannot be trusted outweighs its content. */
function verdict(observation: Observation): Verdict {
  const { host, claim, waiting, now } = observation;
  const at = claim?.record?.at ?? null;
  if (host === null && claim === null)
    return { state: 'unapproved', cause: waitingCause(waiting), since: null };
  if (host === null) return { state: 'held', cause: 'fleet.yaml does not name it', since: at };
  if (host.retired) return { state: 'retired', cause: null, since: at };
  if (host.key === undefined) return { state: 'unapproved', cause: waitingCause(waiting), since: null };
  if (claim === null)
    return { state: 'silent', cause: 'nothing of it has arrived since it was approved', since: null };
  const { record, problem } = claim;
  if (record === null || problem !== null) return { state: 'failed', cause: problem, since: at };
  if (isSilent(record, now))
    return { state: 'silent', cause: 'it promised to report by then', since: record.status.next ?? at };
  const isPaused = host.paused !== undefined && (host.paused.until ?? Infinity) > now;
  if (isPaused && !holdsFirst(record, observation)) {
    return { state: 'paused', cause: host.paused.reason, since: at };
  }
  return reported(record, observation);
}

/** A host that is paused as well says `held` only for what outweighs that, such as a hold by hand. */
function holdsFirst(record: StateRecord, { head }: Observation): boolean {
  const says = record.event === 'held' || record.event === 'rolled-back';
  return says && ownState(record) === 'held' && hasJudged(record, head);
}

/**
 * A good record of a host that is alive: what it says itself, unless there is news that it has not judged. What was
 * changed by hand is said by every record until it is no more so, whatever the record is about.
 */
function reported(record: StateRecord, { head }: Observation): Verdict {
  const said = { cause: record.message === '' ? record.subject : record.message, since: record.at };
  const own = ownState(record);
  const { drift } = record.status;
  if (own === 'retired') return { state: own, ...said };
  if (own !== null && own !== 'testing' && hasJudged(record, head)) return { state: own, ...said };
  if (drift !== undefined) return { state: 'drifted', cause: causeOf(drift), since: record.at };
  if (own === 'testing') return { state: own, ...said };
  if (record.status.system?.testing === true) return { state: 'testing', ...said };
  if (own === null && record.revision === head) {
    return { state: 'converged', cause: null, since: record.status.system?.since ?? record.at };
  }
  const cause = record.revision === undefined ? 'it was approved and has not deployed yet' : null;
  return { state: 'building', cause, since: record.at };
}

function causeOf(drift: readonly string[]): string {
  return `${drift.join('; ')}; ${driftRemedy(drift)}`;
}

/** What a record says went wrong or stands in the way; `null` when nothing does. */
function ownState({ event, code }: StateRecord): HostState | null {
  switch (event) {
    case 'rolled-back':
      // By hand (10), and held since; by itself it is a failed switch.
      return code === 10 ? 'held' : 'failed';
    case 'failed':
    case 'step-failed':
      return 'failed';
    case 'held':
    case 'paused':
    case 'testing':
    case 'retired':
      return event;
    case 'enrolled':
    case 'deployed':
    case 'unchanged':
    case 'resumed':
    case 'secrets':
    case 'step-started':
    case 'step-done':
    case 'backup':
    case 'rebooted':
    case 'drifted':
    case 'restored':
    case 'alive':
      // Such a record repeats the code of what still stands; 10, 20, 22 and 60 are holds.
      if (code === 0) return null;
      return code === 10 || code === 20 || code === 22 || code === 60 ? 'held' : 'failed';
    default:
      return event satisfies never;
  }
}

/** A host that fails or holds says so anew for every head that it judges. */
function hasJudged(record: StateRecord, head: ObjectId): boolean {
  return record.attempted === head || record.status.head === head;
}

/** A host without `next` may be silent: it sleeps when nobody uses it. */
function isSilent(record: StateRecord, now: number): boolean {
  const { next } = record.status;
  return next !== undefined && Date.parse(next) < now;
}

function waitingCause(waiting: number): string {
  if (waiting === 0) return 'it has not enrolled yet';
  return waiting === 1 ? 'a machine waits' : `${waiting} machines wait`;
}
