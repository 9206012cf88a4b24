import type { Journal } from '../../shared/cycle/journal.ts';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { Ledger } from '../../shared/record/ledger.ts';
import { begunAnew, knownToBoth } from '../../shared/record/ledger-runs.ts';
import { ledgerPath } from '../../shared/record/sealed-part.ts';
import type { Context } from '../context.ts';
import { lookUp, readBytes, readCommit } from '../objects/read.ts';
import type { Effects } from '../seam.ts';
import { takeSealed } from './ledger.ts';
import { storeWaiting } from './waiting.ts';

type Parts = Pick<Effects, 'git' | 'outbox' | 'ledgers'>;

/**
 * The ledger of this host, which knows all that its newest record knows: one that is damaged or lost here may be whole there, and
 * a copy that came back from a backup may be older. `unreachable` while that record cannot be read.
 * @param journal whose newest record it is
 */
export async function knownLedger(
  context: Context,
  journal: Journal = context.memory.journal,
): Promise<Result<Ledger | null>> {
  const { unsettled, tip } = journal;
  if (unsettled !== null && unsettled !== tip) {
    const before = await knownWith(context, { ...journal, tip: unsettled });
    if (!before.ok) return before;
  }
  const known = await knownWith(context, journal);
  if (known.ok && unsettled !== null) context.memory.remember({ unsettled: null });
  return known;
}

async function knownWith(context: Context, journal: Journal): Promise<Result<Ledger | null>> {
  const parts = context.effects('record');
  const { fleet, host, tip, seq } = journal;
  const kept = await parts.ledgers.load({ fleet, host });
  if (kept.ok && seq === 0) return kept;
  if (kept.ok && kept.value !== null) return withRecorded(parts, kept.value, journal);
  const stored = await storeWaiting(parts, tip);
  const taken = stored.ok ? await takeSealed(parts, tip, { fleet, host }) : stored;
  if (!taken.ok) return kept.ok ? taken : kept;
  if (!kept.ok) {
    const message = `the ledger was taken from record ${tip}: ${kept.failure.cause}`;
    context.senses.log({ kind: 'warning', host, message });
  }
  return parts.ledgers.load({ fleet, host });
}

/** What the next record of this journal has in its tree besides `status.json`: nothing older than what the newest one has. */
export async function sealedNow(
  context: Context,
  journal: Journal,
): Promise<Result<Readonly<Record<string, ObjectId>>>> {
  await settleLedger(context, journal);
  return context.effects('record').ledgers.ids();
}

/**
 * Before a record, which makes the ledger that is kept the newest one. What cannot be settled must not keep a host from
 * recording: it is said and remembered, and until it is settled no step runs.
 */
async function settleLedger(context: Context, journal: Journal): Promise<void> {
  if (journal.seq === 0) return;
  const parts = context.effects('record');
  const ids = await parts.ledgers.ids();
  const recorded = await recordedLedger(parts, journal.tip);
  const isSame = ids.ok && recorded.ok && (ids.value[ledgerPath] ?? null) === recorded.value;
  if (isSame && journal.unsettled === null) return;
  const known = await knownLedger(context, journal);
  if (known.ok) return;
  const { host, unsettled, tip } = journal;
  context.memory.remember({ unsettled: unsettled ?? tip });
  context.senses.log({ kind: 'warning', host, message: `the ledger is as it was: ${known.failure.cause}` });
}

/** The object id of the ledger in a record, `null` where it has none; `unreachable` while the record cannot be read. */
export async function recordedLedger(
  { git, outbox }: Omit<Parts, 'ledgers'>,
  record: ObjectId,
): Promise<Result<ObjectId | null>> {
  const stored = await storeWaiting({ git, outbox }, record);
  const commit = stored.ok ? await readCommit(git, record) : stored;
  const item = commit.ok ? await lookUp(git, commit.value.commit.tree, ledgerPath) : commit;
  return item.ok ? ok(item.value?.id ?? null) : fail(unread(record, item.failure));
}

/** The ledger that is kept, with all runs that the newest record knows. */
async function withRecorded(
  parts: Parts,
  ledger: Ledger,
  { seq, tip, installation }: Journal,
): Promise<Result<Ledger>> {
  const { ledgers, git } = parts;
  const recorded = await recordedLedger(parts, tip);
  if (!recorded.ok) return recorded;
  const next = { seq: seq + 1, installation };
  if (recorded.value === null) {
    // One that was begun since is not in any record yet; an older one was lost, and what ran meanwhile is not in it.
    return ledger.begun.seq > seq ? ok(ledger) : keepInstead(parts, begunAnew(ledger, next), ledger);
  }
  const ids = await ledgers.ids();
  if (ids.ok && ids.value[ledgerPath] === recorded.value) return ok(ledger);
  const bytes = await readBytes(git, recorded.value, 'blob');
  if (!bytes.ok) return fail(unread(tip, bytes.failure));
  const opened = await ledgers.open(bytes.value, ledger);
  if (!opened.ok) return keepInstead(parts, begunAnew(ledger, next), ledger);
  return keepInstead(parts, { ...ledger, ...knownToBoth(opened.value, ledger) }, ledger);
}

async function keepInstead({ ledgers }: Parts, ledger: Ledger, before: Ledger): Promise<Result<Ledger>> {
  if (JSON.stringify(ledger) === JSON.stringify(before)) return ok(before);
  const kept = await ledgers.keep(ledger, [], before);
  return kept.ok ? ok(ledger) : kept;
}

function unread(tip: ObjectId, { cause }: Failure): Failure {
  return {
    kind: 'unreachable',
    cause: `the newest record of this host cannot be read: ${cause}`,
    where: tip,
    remedy: 'the agent fetches it from the Git server as soon as that can be reached',
  };
}
