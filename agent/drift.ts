import { bootsInto, driftNews, driftSentences, reopened } from '../shared/cycle/drift.ts';
import type { Drift } from '../shared/cycle/journal.ts';
import { ok, type Result } from '../shared/failure.ts';
import { mayReport } from '../shared/cycle/reports.ts';
import { carryOn } from './carry-on.ts';
import type { Context } from './context.ts';
import { draftOf } from './stages/record.ts';

/**
 * Notices what was switched by hand since the cycle before, or undone, and records that once. Needs no server, and reads
 * a few links while there is nothing new.
 */
export async function noticeDrift(context: Context): Promise<Result<void>> {
  if ((await news(context)) === undefined) return ok(undefined);
  const { memory } = context;
  const held = await memory.hold(context.signal);
  if (!held.ok) return held;
  // What looked changed may have been in the hands of a person's `rollback` until now, or be half done by it.
  const carried = await carryOn(context);
  if (!carried.ok) return carried;
  const drift = await news(context);
  return drift === undefined ? ok(undefined) : record(context, drift);
}

/** What the journal does not say yet; `undefined` when there is no such thing. */
async function news(context: Context): Promise<Drift | null | undefined> {
  const { journal } = context.memory;
  const generation = bootsInto(journal);
  if (generation === null || !mayReport(journal)) return undefined;
  return driftNews(journal, await context.effects('poll').links.look(generation));
}

async function record(context: Context, drift: Drift | null): Promise<Result<void>> {
  const { memory, senses } = context;
  const { journal } = memory;
  for (const message of drift === null ? [] : driftSentences(drift)) {
    senses.log({ kind: 'warning', host: journal.host, message });
  }
  const draft = await draftOf(context, { event: 'drifted', running: journal.running }, { ...journal, drift });
  if (!draft.ok) return draft;
  const again = reopened(journal, drift);
  const noted = await memory.write({ drift, ...again, phase: { at: 'record', draft: draft.value } });
  return noted.ok ? carryOn(context) : noted;
}
