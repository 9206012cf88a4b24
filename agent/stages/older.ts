import { fail, ok, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { checkOlder } from '../../shared/record/older.ts';
import { readRecord, type Found, type StateRecord } from '../../shared/record/tip.ts';
import { historyFrom } from '../../shared/trust/history.ts';
import { liesBelow } from '../../shared/trust/verdict.ts';
import type { Context } from '../context.ts';
import { readFound } from '../objects/read.ts';
import { isOfItsBytes } from './own-chain.ts';
import { readFleet } from './verify.ts';

/**
 * Whether a record is the newest of a machine that was this host before: good under what the revision pinned that the
 * record says it accepted, which must lie below what this machine accepted itself (S8). A record of this very machine is
 * none. Fails for what another try may mend.
 */
export async function isOlder(context: Context, id: ObjectId): Promise<Result<boolean>> {
  const { git } = context.effects('record');
  const { genesis } = context.memory.journal;
  const found = await readFound(git, id);
  if (!found.ok) return isOfItsBytes(found.failure) ? ok(false) : found;
  const record = readRecord(found.value);
  if (!record.ok || record.value.genesis === genesis) return ok(false);
  return isGoodThen(context, found.value, record.value);
}

async function isGoodThen(
  context: Context,
  found: Found,
  { status: { accepted: revision } }: StateRecord,
): Promise<Result<boolean>> {
  const { git } = context.effects('record');
  const { memory, settings, version } = context;
  const { accepted: head, host } = memory.journal;
  const { introduction, dir } = settings;
  if (revision === null || head === null) return ok(false);
  const below = await liesBelow({ introduction, head, revision }, historyFrom(git));
  if (!below.ok || !below.value) return below.ok || isOfItsBytes(below.failure) ? ok(false) : below;
  const then = await readFleet(git, revision, { dir, version });
  if (then.ok) return ok(checkOlder(found, then.value.fleet, host).ok);
  return isOfItsBytes(then.failure) ? ok(false) : fail(then.failure);
}
