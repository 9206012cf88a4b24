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
const child = v.strictObject({ pid: positive, started: count, boot: v.string() });

const failure = v.strictObject({
  kind: v.custom<FailureKind>((text) => typeof text === 'string' && isFailureKind(text)),
  cause: v.string(),
  where: v.exactOptional(v.string()),
  remedy: v.string(),
  detail: v.exactOptional(v.string()),
});

const waiting = v.strictObject({ seq: count, id });

const draft = v.strictObject({
  subject: v.string(),
  detail: v.array(v.string()),
  status: statusSchema,
  at: milliseconds,
  deploys: v.boolean(),
  replaces: v.exactOptional(id),
});

const tried = v.strictObject({ digest: v.string(), path: v.string(), terms: v.string() });

const phase = v.variant('at', [
  v.strictObject({ at: v.literal('idle') }),
  v.strictObject({ at: v.literal('build'), revision: id, path: v.string(), child: v.exactOptional(child) }),
  v.strictObject({
    at: v.literal('switch'),
    from: v.nullable(positive),
    to: positive,
    before: v.exactOptional(v.string()),
    revision: id,
    attempt: count,
    mode,
    timeout: milliseconds,
    child: v.exactOptional(child),
    left: v.exactOptional(id),
    baseline: v.exactOptional(baselineSchema),
    tried: v.exactOptional(tried),
  }),
  v.strictObject({
    at: v.literal('confirm'),
    before: v.exactOptional(v.string()),
    timeout: v.exactOptional(milliseconds),
    baseline: v.exactOptional(baselineSchema),
    tried: v.exactOptional(tried),
    from: v.nullable(positive),
    to: positive,
    revision: id,
    mode,
    exit: v.pipe(v.number(), v.safeInteger()),
    left: v.exactOptional(id),
  }),
  v.strictObject({
    at: v.literal('rollback'),
    from: v.nullable(positive),
    before: v.exactOptional(v.string()),
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
  }),
  v.strictObject({
    at: v.literal('record'),
    draft,
    instead: v.exactOptional(waiting),
    again: v.exactOptional(v.array(waiting)),
  }),
]);

const standing = v.strictObject({
  head: id,
  event: v.picklist(stateEvents),
  code: count,
  cause: v.string(),
  under: v.string(),
  until: v.exactOptional(milliseconds),
});

const failed = v.strictObject({
  ...tried.entries,
  revision: id,
  attempts: positive,
  code: count,
  cause: v.string(),
  at: milliseconds,
});

const running = v.strictObject({
  ...v.omit(runningSystem, ['testing']).entries,
  digest: v.string(),
  inputs: v.exactOptional(v.string()),
  root: v.exactOptional(v.string()),
  testedIn: v.exactOptional(v.string()),
  waitsIn: v.exactOptional(v.string()),
});

const drift = v.strictObject({
  strays: v.array(
    v.strictObject({
      link: v.picklist(['profile', 'current-system', 'current']),
      should: v.string(),
      leads: v.nullable(v.string()),
    }),
  ),
});

const pace = v.strictObject({
  interval: milliseconds,
  heartbeat: v.nullable(milliseconds),
  fetch: milliseconds,
  corrects: v.exactOptional(v.literal(true)),
});

const divergence = v.strictObject({ cause: v.string(), where: id, goesOn: v.boolean() });

const successor = v.strictObject({
  file: v.string(),
  key: v.string(),
  genesis: id,
  isOffered: v.boolean(),
});

/**
 * The shape of `journal.json`, format 1. Unknown keys are refused: a newer agent raises the format instead. Keys with a
 * default are younger than the format; a journal without them knows nothing of what they say.
 */
export const journalSchema = v.strictObject({
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
  pace,
  standing: v.nullable(standing),
  trial: v.nullable(standing),
  failed: v.optional(v.nullable(failed), null),
  failedTrial: v.optional(v.nullable(failed), null),
  heldByHand: v.optional(v.boolean(), false),
  overtaken: v.nullable(id),
  drift: v.optional(v.nullable(drift), null),
  corrections: v.optional(v.nullable(v.strictObject({ head: id, at: v.array(milliseconds) })), null),
  phase,
});
