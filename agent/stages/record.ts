import { foundAt, type Aim } from '../../shared/cycle/aim.ts';
import type { Journal } from '../../shared/cycle/journal.ts';
import type { Draft, Phase } from '../../shared/cycle/phase.ts';
import { withoutReports } from '../../shared/cycle/reports.ts';
import { standingOf } from '../../shared/cycle/standing.ts';
import { isOfTheWorld, ok, type Result } from '../../shared/failure.ts';
import { parseCommit } from '../../shared/objects/commit.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { draftRecord, type Happening, type Revision } from '../../shared/record/draft.ts';
import { parseMessage } from '../../shared/record/message.ts';
import { composeStateCommit } from '../../shared/record/state-commit.ts';
import { oneLine } from '../../shared/printable.ts';
import type { Context } from '../context.ts';
import { recordAgain } from './again.ts';
import { olderTip } from './own-branch.ts';
import { sealedNow } from './known-ledger.ts';
import { sealedFor } from './ledger.ts';
import { heldBy } from './secrets.ts';

/** What is decided before its record is made: it happened at what the cycle is about. */
export type Settled = Omit<Happening, 'revision' | 'isTrial'>;

/**
 * Ends a cycle's decision: the record's draft, what now stands, and whatever else changed go into the journal in
 * one write, so that a crash cannot part them. The commit itself follows in `commitRecord`.
 * @param until milliseconds since the epoch at which what stands ends by itself
 */
export async function settle(
  context: Context,
  aim: Aim,
  settled: Settled,
  change: Partial<Journal> = {},
  until?: number,
): Promise<Result<void>> {
  const { memory } = context;
  const { revision: head, isTrial } = aim;
  const happening: Happening = { ...settled, isTrial, revision: await describe(context, head) };
  // A fault of the world stands for no time at all: the next cycle tries again.
  const isWorlds = settled.failure !== undefined && isOfTheWorld(settled.failure.kind);
  const end = isWorlds ? 0 : until;
  const standing = standingOf(happening, { head, under: context.under, until: end });
  const changed = { ...change, ...foundAt(aim, standing) };
  const draft = await draftOf(context, happening, { ...memory.journal, ...changed });
  return draft.ok ? memory.write({ ...changed, phase: { at: 'record', draft: draft.value } }) : draft;
}

/**
 * The draft of a record, with the facts of the machine as they are now. The first one of a machine needs the server: it
 * names the newest record of the machine before.
 */
export async function draftOf(
  context: Context,
  happening: Happening,
  journal: Journal,
): Promise<Result<Draft>> {
  const { machine } = context.effects('record');
  const { version, guarantees, senses, stopwatch } = context;
  const older = journal.seq === 0 ? await olderTip(context) : ok(null);
  if (!older.ok) return older;
  const sealed = await sealedNow(context, journal);
  if (!sealed.ok) return sealed;
  const draft = draftRecord(happening, {
    journal,
    version,
    guarantees,
    facts: await machine.facts(journal.fleet),
    now: senses.clock.now(),
    seconds: stopwatch.seconds(),
    secrets: await heldBy(context, happening.running),
    sealed: sealed.value,
  });
  return ok(older.value === null ? draft : { ...draft, replaces: older.value });
}

type Recording = Extract<Phase, { at: 'record' }>;

/**
 * Turns a draft into a signed commit in the outbox. Repeated after a crash it makes the same bytes, so the record
 * is there once (P6).
 */
export async function commitRecord(context: Context, recording: Recording): Promise<Result<void>> {
  const { draft, instead, again = [] } = recording;
  const { outbox } = context.effects('record');
  const { memory, senses, settings } = context;
  const { genesis, tip, host } = memory.journal;
  const place = { genesis, previous: tip, withRevision: settings.stateRemote === undefined };
  const sealed = await sealedFor(context, draft);
  if (!sealed.ok) return sealed;
  const sign = (payload: Uint8Array): string => senses.signer.sign(payload);
  const { id, objects } = composeStateCommit(draft, place, sign, sealed.value);
  const { seq, outcome, system } = draft.status;
  const kept = await outbox.add({ seq, id }, objects);
  if (!kept.ok) return kept;
  const next = await recordAgain(context, again, draft);
  if (!next.ok) return next;
  const noted = await memory.write({
    ...{ seq, tip: id, phase: next.value },
    // A record that is made again is no newer for that.
    ...(instead === undefined ? { recordedAt: draft.at } : {}),
    ...(seq === 1 ? { replaces: draft.replaces ?? null } : {}),
    reports: withoutReports(memory.journal.reports, draft.status.reports),
  });
  if (!noted.ok) return noted;
  if (instead !== undefined) await outbox.drop(instead);
  const revision = outcome.attempted ?? system?.revision;
  senses.log({
    kind: 'recorded',
    host,
    event: outcome.event,
    seq,
    subject: draft.subject,
    ...(revision === undefined ? {} : { revision }),
  });
  return ok(undefined);
}

/** A revision with its commit's subject; without one when the commit cannot be read just now. */
export async function describe(context: Context, id: ObjectId): Promise<Revision> {
  const read = await context.effects('record').git.read(id);
  const commit = read.ok ? parseCommit(read.value.bytes) : read;
  if (!commit.ok) return { id };
  // Whoever wrote it may have written megabytes, and each blank costs.
  const { subject } = parseMessage(commit.value.message.slice(0, 1000));
  return { id, subject: oneLine(subject).replaceAll('"', "'").slice(0, 60) };
}
