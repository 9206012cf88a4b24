import { timestamp } from '../shared/record/draft.ts';
import { mayReport, withReport } from '../shared/cycle/reports.ts';
import { lookAgain, seenAs } from '../shared/disk/due.ts';
import { ok, sentence, type Result } from '../shared/failure.ts';
import { nextLedger, type NextLedger } from '../shared/record/next-ledger.ts';
import { backupPath } from '../shared/record/sealed-part.ts';
import type { Ledger } from '../shared/record/ledger.ts';
import { carryOn } from './carry-on.ts';
import type { Context } from './context.ts';
import type { Ledgers } from './ledger-ports.ts';
import { knownLedger } from './stages/known-ledger.ts';
import { draftOf } from './stages/record.ts';

/** Milliseconds awake that a look at all disks may take. */
const timeout = 120_000;

/**
 * Keeps the sealed part of the state true: what disks there are, and the metadata that brings their layout back. Needs no
 * server, and reads a few small files while nothing changed. What cannot be kept stops nothing. New backups are recorded at
 * once; what else is new goes with the next record.
 */
export async function noticeDisks(context: Context): Promise<Result<void>> {
  const { memory, signal } = context;
  const { journal } = memory;
  if (journal.readers === null || journal.seq === 0 || !mayReport(journal)) return ok(undefined);
  const glance = await due(context);
  if (glance === undefined) return ok(undefined);
  const held = await memory.hold(signal);
  if (!held.ok) return held;
  const carried = await carryOn(context);
  if (!carried.ok) return carried;
  const next = await keep(context, glance);
  if (next?.news !== 'backups') return ok(undefined);
  const taken = next.seal.map(({ name }) => name);
  const { running } = memory.journal;
  const draft = await draftOf(context, { event: 'backup', running, taken }, memory.journal);
  if (!draft.ok) return draft;
  const noted = await memory.write({ phase: { at: 'record', draft: draft.value } });
  return noted.ok ? carryOn(context) : noted;
}

/**
 * The same before a record that is due anyway, and that is to have it: a host's first one above all, so that its ledger covers
 * all that it does (S15).
 */
export async function keepDisks(context: Context): Promise<void> {
  if (!context.memory.journal.approved) return;
  const glance = await due(context);
  if (glance !== undefined) await keep(context, glance);
}

/** What a glance at the disks gives, where it is time for a look; `undefined` when all was seen. */
async function due(context: Context): Promise<string | undefined> {
  const { memory, effects, senses } = context;
  const { disks, readers, pace } = memory.journal;
  if (readers === null) return undefined;
  const glance = await effects('poll').disks.glance();
  const luksHeaders = pace.luksHeaders === true;
  const wanted = seenAs({ glance, readers: readersOf(context), luksHeaders });
  return lookAgain(disks, wanted, senses.clock.now()) ? wanted : undefined;
}

async function keep(context: Context, glance: string): Promise<NextLedger | undefined> {
  const { memory, senses } = context;
  const now = senses.clock.now();
  const kept = await lookAndKeep(context, now);
  if (kept.ok) {
    memory.remember({ disks: { glance, at: now } });
    return kept.value;
  }
  const { host } = memory.journal;
  senses.log({ kind: 'failure', host, stage: 'poll', failure: kept.failure });
  memory.remember({ disks: { glance, at: now, isFailed: true } });
  return undefined;
}

async function lookAndKeep(context: Context, now: number): Promise<Result<NextLedger>> {
  const looked = await lookAtDisks(context, now);
  if (!looked.ok) return looked;
  const { before, next, problems } = looked.value;
  for (const problem of problems) complain(context, problem);
  const { ledgers } = context.effects('poll');
  const kept = next.news === 'nothing' ? ok(undefined) : await ledgers.keep(next.ledger, next.seal, before);
  // What cannot be sealed, or written, stays so until somebody mends it.
  if (!kept.ok) report(context, `the ledger stays as it was: ${sentence(kept.failure)}`);
  return kept.ok ? ok(next) : kept;
}

/** What a look at all disks gives, before anything of it is kept. */
export interface LookedAt {
  readonly before: Ledger | null;
  readonly next: NextLedger;
  /** What could not be backed up, in sentences. */
  readonly problems: readonly string[];
}

export async function lookAtDisks(context: Context, now: number): Promise<Result<LookedAt>> {
  const { memory, effects, signal } = context;
  const { disks, ledgers } = effects('poll');
  const { fleet, host, installation, seq, pace } = memory.journal;
  const before = await knownLedger(context);
  if (!before.ok) return before;
  const found = await disks.inventory({ timeout, signal });
  if (!found.ok) return found;
  const taken = await disks.backups({ luksHeaders: pace.luksHeaders === true }, { timeout, signal });
  if (!taken.ok) return taken;
  const { backups, problems } = taken.value;
  const lost = await lostOf(before.value, ledgers);
  if (!lost.ok) return lost;
  const around = {
    lost: lost.value,
    ...{ fleet, host, installation, seq: seq + 1, at: timestamp(now) },
    readers: readersOf(context),
  };
  const next = nextLedger(before.value, { disks: found.value, backups }, around);
  return ok({ before: before.value, next, problems });
}

/** Names of backups whose sealed file is gone. */
async function lostOf(
  ledger: Ledger | null,
  ledgers: Pick<Ledgers, 'ids'>,
): Promise<Result<ReadonlySet<string>>> {
  const kept = await ledgers.ids();
  if (!kept.ok) return kept;
  const names = Object.keys(ledger?.backups ?? {});
  return ok(new Set(names.filter((name) => !Object.hasOwn(kept.value, backupPath(name)))));
}

/** The host itself, under its next key as well, and the fleet's readers. */
function readersOf({ memory, senses }: Context): readonly string[] {
  const { readers, successor } = memory.journal;
  const own = [senses.signer.key, ...(successor === null ? [] : [successor.key])];
  return [...new Set([...own, ...(readers ?? [])])].sort();
}

function complain(context: Context, problem: string): void {
  const { memory, senses } = context;
  senses.log({ kind: 'warning', host: memory.journal.host, message: problem });
  report(context, problem);
}

/** For the next record: nobody reads the log of a machine that seems to be well. */
function report({ memory }: Context, problem: string): void {
  memory.remember({ reports: withReport(memory.journal.reports, problem) });
}
