import { reopened } from '../shared/cycle/corrections.ts';
import { bootsInto, driftNews, saidOfDrift } from '../shared/cycle/drift.ts';
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

/** Whether something was switched by hand, or undone, that the journal does not know. Only reads links. */
export async function hasDrifted(context: Context): Promise<boolean> {
  return (await news(context)) !== undefined;
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
  const { standing = journal.standing, ...more } = reopened(journal, drift, senses.clock.now());
  // The record is about what stood: that it is looked at again comes after it.
  const found = { ...journal, drift, ...more };
  for (const message of saidOfDrift(found)) senses.log({ kind: 'warning', host: journal.host, message });
  const draft = await draftOf(context, { event: 'drifted', running: journal.running }, found);
  if (!draft.ok) return draft;
  const noted = await memory.write({
    ...{ drift, ...more, standing },
    phase: { at: 'record', draft: draft.value },
  });
  return noted.ok ? carryOn(context) : noted;
}
