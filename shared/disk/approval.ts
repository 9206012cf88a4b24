import * as v from 'valibot';
import { fail, ok, type Result } from '../failure.ts';
import { timePattern } from '../fleet/duration.ts';
import { hostKey } from '../fleet/values.ts';

/** A disk as the person who approved saw it. All of it must be found again, to the letter, before anything is written. */
export interface ApprovedDevice {
  /** Its name below `/dev/disk/by-id`, as the step's `destroys` has it. */
  readonly path: string;
  readonly serial: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 over its partition table and all signatures: type, offset, UUID. */
  readonly layout: string;
  /** SHA-256 over its samples, which lie where the size says. */
  readonly samples: string;
}

/**
 * That a person lets a step run once, as `autark step approve` writes it below the step (`approved`). It counts only in an
 * authentic revision, on the machine that it names, for the program that it names (S16).
 */
export interface StepApproval {
  /** Random, 32 hex digits: good for one run, and the ledger remembers which. */
  readonly id: string;
  /** The host's: `ssh-ed25519 BASE64`. */
  readonly key: string;
  /** The machine's life that it is good for: made anew with each `/var/lib/autark`. */
  readonly installation: string;
  /** Object id of `run`. */
  readonly program: string;
  /** SHA-256 over sorted path, mode and object id of `files`. */
  readonly files: string;
  /**
   * How many runs of the step the ledger knew, as the approver saw it: a commit that is reverted must not bring an older,
   * unused approval back to life after a later run.
   */
  readonly runs: number;
  /** Empty for a step that destroys nothing. */
  readonly devices: readonly ApprovedDevice[];
  /** Who approved: for people. The commit's signature is what counts. */
  readonly by: string;
  /** RFC 3339, for people: no clock decides. */
  readonly at: string;
}

const words = v.pipe(
  v.string(),
  v.regex(/^[^\u0000-\u001f\u007f]*[^\s\u0000-\u001f\u007f][^\u0000-\u001f\u007f]*$/),
);
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

const device = v.strictObject({
  path: words,
  serial: words,
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  layout: sha256,
  samples: sha256,
}) satisfies v.GenericSchema<unknown, ApprovedDevice>;

/** Strict: what is not known may be a condition, and one that is not understood must not be left out. */
const approval = v.strictObject({
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  key: hostKey,
  installation: words,
  program: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/)),
  files: sha256,
  runs: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  devices: v.array(device),
  by: words,
  at: v.pipe(v.string(), v.regex(timePattern)),
}) satisfies v.GenericSchema<unknown, StepApproval>;

/** Reads a step's `approved`; the failure is a sentence that says what is wrong with it. */
export function parseApproval(written: unknown): Result<StepApproval, string> {
  const parsed = v.safeParse(approval, written);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue) ?? 'the approval';
  return fail(`${path} is not what \`autark step approve\` writes`);
}
