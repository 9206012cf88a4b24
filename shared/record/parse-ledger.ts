import * as v from 'valibot';
import type { Disk } from '../disk/disk.ts';
import { fail, ok, type Result } from '../failure.ts';
import { parseJson } from '../json.ts';
import type { Ledger } from './ledger.ts';
import type { ExaminedDevice, StepRun } from './step-run.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.nullable(v.string());

const signature = v.looseObject({
  on: v.string(),
  type: v.string(),
  offset: count,
  uuid: text,
  label: text,
});

const partition = v.looseObject({
  name: v.string(),
  number: count,
  start: count,
  size: count,
  type: v.string(),
  uuid: text,
});

const disk = v.looseObject({
  name: v.string(),
  ids: v.array(v.string()),
  model: text,
  serial: text,
  size: count,
  table: text,
  partitions: v.array(partition),
  signatures: v.array(signature),
  uses: v.array(v.string()),
}) satisfies v.GenericSchema<unknown, Disk>;

const run = v.looseObject({
  step: v.string(),
  approval: text,
  outcome: v.picklist(['started', 'done', 'failed', 'withdrawn']),
  program: v.string(),
  revision: v.string(),
  began: v.string(),
  ended: v.exactOptional(v.string()),
  how: v.exactOptional(v.string()),
  output: v.exactOptional(v.string()),
  yields: v.exactOptional(v.record(v.string(), v.string())),
}) satisfies v.GenericSchema<unknown, StepRun>;

const examined = v.union([
  v.looseObject({ at: v.string(), failed: v.string() }),
  v.looseObject({
    at: v.string(),
    seen: v.looseObject({
      disk,
      layout: v.string(),
      samples: v.string(),
      looks: v.picklist(['blank', 'data', 'encrypted?']),
      isExclusive: v.boolean(),
      found: v.array(signature),
    }),
  }),
]) satisfies v.GenericSchema<unknown, ExaminedDevice>;

const kept = v.looseObject({ sha256: v.string(), taken: v.string(), of: v.exactOptional(v.string()) });

const ledger = v.looseObject({
  format: v.literal(1),
  fleet: v.string(),
  host: v.string(),
  readers: v.array(v.string()),
  begun: v.looseObject({ seq: count, installation: v.string() }),
  disks: v.array(disk),
  backups: v.record(v.string(), kept),
  runs: v.exactOptional(v.array(run)),
  examined: v.exactOptional(v.record(v.string(), examined)),
}) satisfies v.GenericSchema<unknown, Ledger>;

/**
 * Reads an opened `ledger.age`; the failure is a sentence that says what is wrong with it. Keys that are not known are in
 * what is returned, so that they are written again.
 */
export function parseLedger(opened: string): Result<Ledger, string> {
  const value = parseJson(opened);
  const format = v.safeParse(v.object({ format: v.number() }), value);
  if (format.success && format.output.format > 1) {
    return fail(`its format is ${format.output.format}, newer than this autark reads: upgrade autark`);
  }
  const parsed = v.safeParse(ledger, value);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  return fail(`${v.getDotPath(issue) ?? 'the ledger'}: ${issue.message}`);
}

/** The same ledger gives the same text. */
export function serialiseLedger(said: Ledger): string {
  return `${JSON.stringify(said, null, 2)}\n`;
}
