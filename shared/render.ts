import type { AgentEvent, Level } from './event.ts';
import { exitCode, type FailureKind, sentence } from './failure.ts';
import type { NixProgress } from './nix/report.ts';
import type { ObjectId } from './objects/object.ts';
import { oneLine, printable } from './printable.ts';

/** An event for people and for log readers; every text is free of control characters. */
export interface Rendered {
  /** One line. */
  readonly message: string;
  /** `host` always; `revision` in full and `detail`, of several lines, where there are some. */
  readonly fields: Readonly<Record<string, string | number>> & { readonly host: string };
}

/** The first 12 digits: enough for a person, and for git. */
export function shortRevision(revision: ObjectId): string {
  return revision.slice(0, 12);
}

export function levelOf(event: AgentEvent): Level {
  switch (event.kind) {
    case 'failure':
      return levelOfFailure(event.failure.kind);
    case 'warning':
    case 'recovered':
      return 'warn';
    case 'idle':
      return 'debug';
    case 'started':
    case 'stopped':
    case 'new-head':
    case 'stage':
    case 'progress':
    case 'superseded':
    case 'recorded':
    case 'delivered':
      return 'info';
    default:
      return event satisfies never;
  }
}

/** Waiting on purpose, or for a world that comes back by itself, is no error. */
function levelOfFailure(kind: FailureKind): Level {
  const waits: readonly FailureKind[] = ['held', 'ended', 'unreachable'];
  return waits.includes(kind) ? 'warn' : 'error';
}

export function render(event: AgentEvent): Rendered {
  const { message, fields } = say(event);
  const host = { host: oneLine(event.host) };
  const revision = 'revision' in event ? { revision: oneLine(event.revision) } : {};
  return { message: oneLine(message), fields: { ...host, ...revision, ...fields } };
}

interface Said {
  readonly message: string;
  readonly fields?: Readonly<Record<string, string | number>>;
}

function say(event: AgentEvent): Said {
  switch (event.kind) {
    case 'started':
      return { message: `autark ${event.version} started` };
    case 'stopped':
      return { message: `stopped: ${event.reason}` };
    case 'new-head':
      return { message: `new head ${shortRevision(event.revision)}` };
    case 'stage':
      return { message: `${event.stage} begins`, fields: { stage: event.stage } };
    case 'progress':
      return { message: progressLine(event.progress), fields: { ...counters(event.progress) } };
    case 'superseded':
      return { message: `superseded by ${shortRevision(event.by)}`, fields: { by: oneLine(event.by) } };
    case 'recovered':
      return { message: `the last cycle was interrupted in ${event.from}; finishing or undoing it` };
    case 'warning':
      return { message: event.message };
    case 'failure':
      return sayFailure(event);
    case 'recorded':
      return {
        message: `record ${event.seq}: ${event.subject}`,
        fields: { seq: event.seq, record: event.event },
      };
    case 'delivered':
      return { message: `the server has the records up to ${event.seq}`, fields: { seq: event.seq } };
    case 'idle':
      return { message: 'nothing to do' };
    default:
      return event satisfies never;
  }
}

function sayFailure({ stage, failure }: Extract<AgentEvent, { kind: 'failure' }>): Said {
  const detail = failure.detail === undefined ? '' : printable(failure.detail).trimEnd();
  const where = failure.where === undefined ? {} : { where: oneLine(failure.where) };
  return {
    message: `${stage}: ${sentence(failure)}`,
    fields: {
      stage,
      code: exitCode(failure.kind),
      ...where,
      remedy: oneLine(failure.remedy),
      ...(detail === '' ? {} : { detail }),
    },
  };
}

/** What a progress says in one line. */
export function progressLine({ done, expected, running, failed, current }: NixProgress): string {
  const bad = failed === 0 ? '' : `, ${failed} failed`;
  const now = current === null ? '' : `: ${oneLine(current)}`;
  return `${done} of ${expected} built, ${running} running${bad}${now}`;
}

function counters({ done, expected, running, failed }: NixProgress) {
  return { done, expected, running, failed };
}
