import { driftRemedy, saidOfDrift } from '../cycle/drift.ts';
import type { Journal, Running } from '../cycle/journal.ts';
import type { Draft } from '../cycle/phase.ts';
import { exitCode, type Failure, type Stage } from '../failure.ts';
import type { ObjectId } from '../objects/object.ts';
import { oneLine } from '../printable.ts';
import { missingOf } from '../secrets/missing.ts';
import type { Held } from '../secrets/secret.ts';
import type { MachineFacts, Outcome, RunningSystem, StateEvent, Status } from './status.ts';

/** What every record of a host is made from, whatever happened. */
export interface Circumstances {
  readonly journal: Journal;
  readonly facts: MachineFacts;
  readonly version: string;
  readonly guarantees: readonly string[];
  /** The secrets of what runs. */
  readonly secrets: readonly Held[];
  /** By path, the sealed files that go with it. */
  readonly sealed: Readonly<Record<string, ObjectId>>;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Seconds by stage; empty after a restart in the middle of a cycle. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** What happened. */
export interface Happening {
  readonly event: StateEvent;
  /** The revision that the record is about, with its commit's subject where it could be read. */
  readonly revision?: Revision;
  /** True for a revision on `testing/<host>`, which is nobody's head. */
  readonly isTrial?: boolean;
  /** The newest head as seen, where the record is about what a person went back from. */
  readonly head?: ObjectId;
  readonly failure?: Failure;
  readonly stage?: Stage;
  /** What runs afterwards. */
  readonly running: Running | null;
  /** The step that it is about, by name. */
  readonly step?: string;
  /** The backups that are new, by name. */
  readonly taken?: readonly string[];
}

export interface Revision {
  readonly id: ObjectId;
  readonly subject?: string;
}

/** How much later than its heartbeat a host may be before readers call it silent: two polls, and five minutes. */
function patience(interval: number): number {
  return Math.max(2 * interval, 5 * 60_000);
}

/** The next record of a host: complete, so that its commit's bytes depend on nothing else. */
export function draftRecord(happening: Happening, around: Circumstances): Draft {
  const { journal, facts, now, version, guarantees } = around;
  const { running } = happening;
  const heartbeat = journal.pace.heartbeat;
  const subject = cut(oneLine(`${journal.host}: ${headline(happening, journal)}`));
  return {
    subject,
    detail: [...journal.reports, ...driftDetail(happening, journal), ...detailOf(happening.failure, subject)],
    at: now,
    deploys: happening.event === 'deployed' || happening.event === 'unchanged',
    ...(Object.keys(around.sealed).length === 0 ? {} : { sealed: around.sealed }),
    status: {
      format: 1,
      fleet: journal.fleet,
      host: journal.host,
      seq: journal.seq + 1,
      at: timestamp(now),
      agent: { version },
      installation: journal.installation,
      machine: facts,
      accepted: journal.accepted,
      head: headOf(happening, journal),
      system: running === null ? null : publicPart(running),
      outcome: outcomeOf(happening, around),
      rebootRequired: journal.rebootRequired === facts.boot,
      ...(heartbeat === null ? {} : { next: timestamp(now + heartbeat + patience(journal.pace.interval)) }),
      guarantees,
      ...(journal.reports.length === 0 ? {} : { reports: journal.reports }),
      ...(journal.drift === null ? {} : { drift: saidOfDrift(journal) }),
      ...saidOfSecrets(around.secrets),
    },
  };
}

function saidOfSecrets(held: readonly Held[]): Pick<Status, 'secrets' | 'missingSecrets'> {
  const opened = held.flatMap((each) => ('digest' in each ? [[each.name, each.digest] as const] : []));
  const missing = missingOf(held).map(({ name }) => name);
  return {
    ...(opened.length === 0 ? {} : { secrets: Object.fromEntries(opened) }),
    ...(missing.length === 0 ? {} : { missingSecrets: missing }),
  };
}

function headOf({ revision, head, isTrial }: Happening, { standing, accepted }: Journal): ObjectId | null {
  const own = isTrial === true ? undefined : (head ?? revision?.id);
  return own ?? standing?.head ?? accepted;
}

/** RFC 3339 in UTC, from milliseconds since the epoch. A clock beyond what a date can say counts as its end. */
export function timestamp(ms: number): string {
  const last = 253_402_300_799_000;
  return new Date(Math.min(Math.max(ms, 0), last)).toISOString();
}

/** A subject fits one line of a narrow log; what it lacks of the cause is in the detail. */
function cut(subject: string): string {
  return subject.length <= 120 ? subject : `${subject.slice(0, 119)}…`;
}

function headline(
  { event, revision, failure, running, taken = [], step = 'unknown' }: Happening,
  journal: Journal,
): string {
  const { seq, drift } = journal;
  const name = revision === undefined ? 'no revision' : nameOf(revision);
  const cause = failure?.cause ?? 'no reason given';
  switch (event) {
    case 'deployed':
      return `deployed ${name} as generation ${running?.generation ?? 0}`;
    case 'unchanged':
      return `unchanged by ${name}`;
    case 'failed':
      return `failed at ${name}: ${cause}`;
    case 'rolled-back':
      return `went back to ${running === null ? 'what ran before' : `generation ${running.generation}`} from ${name}: ${cause}`;
    case 'held':
    case 'paused':
      return `${event} at ${name}: ${cause}`;
    case 'resumed':
      return `resumed at ${name}`;
    case 'testing':
      return `testing ${name} as generation ${running?.generation ?? 0}, until the next boot`;
    case 'restored':
      return `restored; goes on from record ${seq}`;
    case 'retired':
    case 'enrolled':
    case 'alive':
    case 'secrets':
      return event;
    case 'step-started':
      return `began the step ${step} of ${name}`;
    case 'step-done':
      return `did the step ${step} of ${name}`;
    case 'step-failed':
      return `failed in the step ${step} of ${name}: ${cause}`;
    case 'backup':
      return `backed up ${taken.join(', ')}`;
    case 'rebooted':
      return `rebooted, as generation ${running?.generation ?? 0} or one before it asked for`;
    case 'drifted':
      return drift === null ? 'drifted no more' : `drifted: ${saidOfDrift(journal).join('; ')}`;
  }
}

function nameOf({ id, subject }: Revision): string {
  return subject === undefined ? id.slice(0, 7) : `${id.slice(0, 7)} "${subject}"`;
}

/** A record of a drift has it whole: the subject may have been cut. */
function driftDetail({ event }: Happening, journal: Journal): string[] {
  if (event !== 'drifted') return [];
  const said = saidOfDrift(journal);
  return said.length === 0 ? [undone] : [...said, `next: ${driftRemedy(said)}`];
}

const undone = 'what had been changed by hand was undone by hand';

function detailOf(failure: Failure | undefined, subject: string): string[] {
  if (failure === undefined) return [];
  const cause = oneLine(failure.cause);
  const whole = subject.includes(cause) ? [] : [cause];
  const where = failure.where === undefined ? [] : [`at ${failure.where}`];
  const tail = failure.detail?.split('\n').slice(-10) ?? [];
  return [...whole, ...where, ...tail, `next: ${failure.remedy}`];
}

function publicPart({ kind, path, generation, revision, since, testedIn }: Running): RunningSystem {
  return { kind, path, generation, revision, since, ...(testedIn === undefined ? {} : { testing: true }) };
}

function outcomeOf(happening: Happening, { journal, seconds }: Circumstances): Outcome {
  const { event, revision, failure, stage } = happening;
  if (repeating.has(event)) return standingOutcome(event, journal);
  return {
    event,
    code: failure === undefined ? 0 : exitCode(failure.kind),
    ...(failure === undefined || revision === undefined ? {} : { attempted: revision.id }),
    ...(failure === undefined || stage === undefined ? {} : { phase: stage }),
    ...(failure === undefined ? {} : { message: messageOf(failure), remedy: failure.remedy }),
    ...(Object.keys(seconds).length === 0 ? {} : { seconds }),
  };
}

/** These are about no revision. */
const repeating: ReadonlySet<StateEvent> = new Set(['alive', 'restored', 'drifted', 'rebooted', 'backup']);

/** Such a record says again what stands, so that it cannot hide a failure; a drift is the lesser evil. */
function standingOutcome(event: StateEvent, journal: Journal): Outcome {
  const { standing, trial } = journal;
  const bad = [standing, trial].find((each) => each !== null && each.code !== 0);
  if (bad !== undefined && bad !== null) {
    return { event, code: bad.code, attempted: bad.head, message: bad.cause };
  }
  const said = saidOfDrift(journal);
  if (event !== 'drifted' || said.length === 0) return { event, code: 0 };
  return { event, code: 0, message: said.join('; '), remedy: driftRemedy(said) };
}

function messageOf({ cause, where }: Failure): string {
  return where === undefined ? cause : `${cause} (${where})`;
}
