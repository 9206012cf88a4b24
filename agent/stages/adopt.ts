import type { Journal } from '../../shared/cycle/journal.ts';
import type { Waiting } from '../../shared/cycle/phase.ts';
import { continued } from '../../shared/cycle/restore.ts';
import { withReport } from '../../shared/cycle/reports.ts';
import type { Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { Seen } from '../../shared/record/delivery.ts';
import type { Context } from '../context.ts';
import { readCommit } from '../objects/read.ts';
import { takeSealed } from './ledger.ts';
import { draftOf } from './record.ts';

/**
 * Goes on from the server's tip (S9). One write decides it: the chain is the server's, a record that says `restored`
 * follows, and what was made here instead is made again on top of it (P6). Those records are then made like any other,
 * however often that is cut off; the old ones leave the outbox after that.
 */
export async function adopt(
  context: Context,
  { records, ground }: Extract<Seen, { is: 'unknown' }>,
): Promise<Result<void>> {
  const { memory, senses } = context;
  const { journal } = memory;
  const [top] = records;
  if (top === undefined || journal.phase.at !== 'idle') throw new Error('there is nothing to go on from now');
  const again = await abandoned(context, ground);
  await takeOver(context, top.id);
  const change = continued(top, senses.clock.now());
  // What stood is said once more before it is looked at again: the record must not hide a failure.
  const { standing, trial, running } = journal;
  const circumstances: Journal = { ...journal, ...change, standing, trial };
  const draft = await draftOf(context, { event: 'restored', running }, circumstances);
  if (!draft.ok) return draft;
  return memory.write({
    ...change,
    phase: { at: 'record', draft: draft.value, ...(again.length === 0 ? {} : { again }) },
  });
}

/** What it has sealed is newer than what is kept here. One that cannot be opened takes nothing away. */
async function takeOver(context: Context, record: ObjectId): Promise<void> {
  const { memory, senses } = context;
  const { fleet, host, reports } = memory.journal;
  const { git, ledgers } = context.effects('record');
  const taken = await takeSealed({ git, ledgers }, record, { fleet, host });
  memory.remember({ disks: null });
  if (taken.ok) return;
  const report = `the ledger of record ${record} is not taken over: ${taken.failure.cause}`;
  senses.log({ kind: 'warning', host, message: report });
  memory.remember({ reports: withReport(reports, report) });
}

/** The records made here that the server's chain lacks, oldest first, as far as they can be read. */
async function abandoned(context: Context, ground: ObjectId | null): Promise<Waiting[]> {
  const { git } = context.effects('record');
  const { tip, seq, genesis } = context.memory.journal;
  const found: Waiting[] = [];
  let next: ObjectId | undefined = tip;
  for (let number = seq; next !== undefined && next !== ground && next !== genesis; number -= 1) {
    const read = await readCommit(git, next);
    if (!read.ok) break;
    found.unshift({ seq: number, id: next });
    next = read.value.commit.parents[0];
  }
  return found;
}
