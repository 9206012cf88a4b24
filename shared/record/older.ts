import { fail, ok, type Result } from '../failure.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { pinnedIn } from './pinned.ts';
import { checkRecord, type Found, type Pinned } from './tip.ts';

/**
 * Whether a record is the newest of a machine that had this name before: *tip good* (S8) under the key and genesis that
 * were pinned then. Gives what was pinned, for the records below it; the failure is a sentence.
 * @param then `fleet.yaml` at the revision that the record itself accepted, which is known to be authentic
 */
export function checkOlder(found: Found, then: Fleet, host: string): Result<Pinned, string> {
  const pinned = pinnedIn(then, host);
  if (pinned === null) return fail(`the revision that it accepted pins no key for ${host}`);
  const record = checkRecord(found, pinned);
  return record.ok ? ok(pinned) : fail(record.failure.cause);
}
