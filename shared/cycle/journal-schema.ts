import * as v from 'valibot';
import { type FailureKind, isFailureKind } from '../failure.ts';
import { baselineSchema } from '../health/baseline.ts';
import { runningSystem, statusSchema } from '../record/parse-status.ts';
import { stateEvents } from '../record/status.ts';

const id = v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/, 'an object id'));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
/** Milliseconds, long or since the epoch; a clock may be decades off, even before 1970. */
const milliseconds = v.pipe(v.number(), v.finite());
const mode = v.picklist(['switch', 'boot', 'test']);
const child = v.object({ pid: positive, started: count, boot: v.string() });

const failure = v.object({
  kind: v.custom<FailureKind>((text) => typeof text === 'string' && isFailureKind(text)),
  cause: v.string(),
  where: v.exactOptional(v.string()),
  remedy: v.string(),
  detail: v.exactOptional(v.string()),
});

const waiting = v.object({ seq: count, id });

const draft = v.object({
  subject: v.string(),
  detail: v.array(v.string()),
  status: statusSchema,
  at: milliseconds,
  deploys: v.boolean(),
  replaces: v.exactOptional(id),
  sealed: v.exactOptional(v.record(v.string(), id)),
});

const tried = v.object({ digest: v.string(), path: v.string(), terms: v.string() });

const confirm = v.object({
  at: v.literal('confirm'),
  before: v.exactOptional(v.string()),
  agentBefore: v.exactOptional(v.string()),
  handed: v.exactOptional(count),
  timeout: v.exactOptional(milliseconds),
  baseline: v.exactOptional(baselineSchema),
  tried: v.exactOptional(tried),
  from: v.nullable(positive),
  to: positive,
  revision: id,
  mode,
  exit: v.pipe(v.number(), v.safeInteger()),
  left: v.exactOptional(id),
  waitsIn: v.exactOptional(v.string()),
  isRecorded: v.exactOptional(v.literal(true)),
});

const phase = v.variant('at', [
  v.object({ at: v.literal('idle') }),
  v.object({ at: v.literal('build'), revision: id, path: v.string(), child: v.exactOptional(child) }),
  v.object({
    at: v.literal('step'),
    step: v.string(),
    name: v.string(),
    revision: id,
    timeout: milliseconds,
    child: v.exactOptional(child),
  }),
  v.object({
    at: v.literal('switch'),
    from: v.nullable(positive),
    to: positive,
    before: v.exactOptional(v.string()),
    agentBefore: v.exactOptional(v.string()),
    revision: id,
    attempt: count,
    mode,
    timeout: milliseconds,
    child: v.exactOptional(child),
    left: v.exactOptional(id),
    baseline: v.exactOptional(baselineSchema),
    tried: v.exactOptional(tried),
  }),
  confirm,
  v.object({
    at: v.literal('rollback'),
    from: v.nullable(positive),
    before: v.exactOptional(v.string()),
    agentBefore: v.exactOptional(v.string()),
    attempted: id,
    failure,
    baseline: v.exactOptional(baselineSchema),
    tried: v.exactOptional(tried),
    isCutOff: v.exactOptional(v.boolean()),
    attempt: count,
    mode,
    timeout: milliseconds,
    child: v.exactOptional(child),
    left: v.exactOptional(id),
    waitsIn: v.exactOptional(v.string()),
  }),
  v.object({
    at: v.literal('record'),
    draft,
    instead: v.exactOptional(waiting),
    again: v.exactOptional(v.array(waiting)),
  }),
]);

const standing = v.object({
  head: id,
  event: v.picklist(stateEvents),
  code: count,
  cause: v.string(),
  under: v.string(),
  until: v.exactOptional(milliseconds),
});

const failed = v.object({
  ...tried.entries,
  revision: id,
  attempts: positive,
  code: count,
  cause: v.string(),
  at: milliseconds,
});

const running = v.object({
  ...v.omit(runningSystem, ['testing']).entries,
  digest: v.string(),
  inputs: v.exactOptional(v.string()),
  root: v.exactOptional(v.string()),
  agent: v.exactOptional(v.string()),
  secrets: v.exactOptional(v.string()),
  testedIn: v.exactOptional(v.string()),
  waitsIn: v.exactOptional(v.string()),
});

const unproved = v.object({
  phase: confirm,
  running: v.nullable(running),
  previous: v.nullable(positive),
  earlier: v.array(positive),
  rebootRequired: v.nullable(v.string()),
});

const drift = v.object({
  strays: v.array(
    v.object({
      link: v.picklist(['profile', 'current-system', 'current']),
      should: v.string(),
      leads: v.nullable(v.string()),
    }),
  ),
});

const pace = v.object({
  interval: milliseconds,
  heartbeat: v.nullable(milliseconds),
  fetch: milliseconds,
  corrects: v.exactOptional(v.literal(true)),
  luksHeaders: v.exactOptional(v.literal(true)),
  keep: v.exactOptional(count),
});

const disksSeen = v.object({
  glance: v.string(),
  at: milliseconds,
  isFailed: v.exactOptional(v.literal(true)),
});

const divergence = v.object({ cause: v.string(), where: id, goesOn: v.boolean() });

const successor = v.object({
  file: v.string(),
  key: v.string(),
  genesis: id,
  isOffered: v.boolean(),
});

/**
 * The shape of `journal.json`, format 1. Keys with a default are younger than the format; a journal without them knows
 * nothing of what they say. Unknown keys are of a newer agent, which was gone back from: they are dropped, for a machine
 * that goes back has to go on. What an older agent must not act without raises the format.
 */
export const journalSchema = v.object({
  format: v.literal(1),
  fleet: v.string(),
  host: v.string(),
  installation: v.string(),
  genesis: id,
  approved: v.boolean(),
  key: v.optional(v.nullable(v.string()), null),
  replaced: v.optional(v.nullable(id), null),
  replaces: v.optional(v.nullable(id), null),
  follows: v.optional(v.boolean(), false),
  successor: v.optional(v.nullable(successor), null),
  accepted: v.nullable(id),
  acceptedUnder: v.string(),
  floors: v.optional(v.array(id), []),
  seq: count,
  tip: id,
  delivered: v.nullable(id),
  recordedAt: milliseconds,
  reports: v.optional(v.array(v.string()), []),
  diverged: v.optional(v.nullable(divergence), null),
  restoredAt: v.optional(v.nullable(milliseconds), null),
  running: v.nullable(running),
  newest: count,
  previous: v.nullable(positive),
  earlier: v.optional(v.array(positive), []),
  lastGood: v.nullable(positive),
  rebootRequired: v.nullable(v.string()),
  unproved: v.optional(v.nullable(unproved), null),
  pace,
  readers: v.optional(v.nullable(v.array(v.string())), null),
  disks: v.optional(v.nullable(disksSeen), null),
  unsettled: v.optional(v.nullable(id), null),
  standing: v.nullable(standing),
  trial: v.nullable(standing),
  failed: v.optional(v.nullable(failed), null),
  failedTrial: v.optional(v.nullable(failed), null),
  heldByHand: v.optional(v.boolean(), false),
  overtaken: v.nullable(id),
  drift: v.optional(v.nullable(drift), null),
  corrections: v.optional(v.nullable(v.object({ head: id, at: v.array(milliseconds) })), null),
  phase,
});
