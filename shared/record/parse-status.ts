import * as v from 'valibot';
import { fail, ok, type Result } from '../failure.ts';
import { stateEvents, type Status } from './status.ts';

const id = v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/));
const time = v.pipe(v.string(), v.isoTimestamp());

const machine = v.object({
  id: v.string(),
  boot: v.string(),
  os: v.string(),
  kernel: v.string(),
  cpu: v.string(),
  memory: v.number(),
  disks: v.array(v.object({ model: v.string(), size: v.number() })),
});

export const runningSystem = v.object({
  kind: v.picklist(['nixos', 'exec']),
  path: v.string(),
  generation: v.pipe(v.number(), v.integer(), v.minValue(1)),
  revision: id,
  since: time,
  testing: v.exactOptional(v.boolean()),
});

const outcome = v.object({
  event: v.picklist(stateEvents),
  code: v.pipe(v.number(), v.integer()),
  attempted: v.exactOptional(id),
  phase: v.exactOptional(v.string()),
  message: v.exactOptional(v.string()),
  remedy: v.exactOptional(v.string()),
  seconds: v.exactOptional(v.record(v.string(), v.number())),
});

/** The shape of `status.json`, format 1. Unknown keys are dropped, as readers ignore them. */
export const statusSchema = v.object({
  format: v.literal(1),
  fleet: v.string(),
  host: v.string(),
  seq: v.pipe(v.number(), v.integer(), v.minValue(0)),
  at: time,
  agent: v.object({ version: v.string() }),
  installation: v.string(),
  machine,
  accepted: v.nullable(id),
  head: v.nullable(id),
  system: v.nullable(runningSystem),
  outcome,
  rebootRequired: v.boolean(),
  next: v.exactOptional(time),
  guarantees: v.array(v.string()),
  reports: v.exactOptional(v.array(v.string())),
  drift: v.exactOptional(v.array(v.string())),
  secrets: v.exactOptional(v.record(v.string(), v.string())),
  missingSecrets: v.exactOptional(v.array(v.string())),
});

/** Reads `status.json`; the failure is a sentence that says what is wrong with it. */
export function parseStatus(text: string): Result<Status, string> {
  const value = parseJson(text);
  if (!value.ok) return value;
  const format = v.safeParse(v.object({ format: v.number() }), value.value);
  if (format.success && format.output.format > 1) {
    return fail(`its format is ${format.output.format}, newer than this autark reads: upgrade autark`);
  }
  const parsed = v.safeParse(statusSchema, value.value);
  if (parsed.success) return ok(parsed.output);
  const issue = parsed.issues[0];
  return fail(`${v.getDotPath(issue) ?? 'status.json'}: ${issue.message}`);
}

function parseJson(text: string): Result<unknown, string> {
  try {
    return ok(JSON.parse(text));
  } catch {
    return fail('it is not JSON');
  }
}
