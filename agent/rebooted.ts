import { ok, type Result } from '../shared/failure.ts';
import { hasRebooted, provesNow } from '../shared/cycle/reboot.ts';
import { mayReport } from '../shared/cycle/reports.ts';
import { carryOn } from './carry-on.ts';
import type { Context } from './context.ts';
import { draftOf } from './stages/record.ts';

/**
 * Records once that a reboot which a generation asked for has happened. One that runs only since then is asked first
 * how it is, and gone back from if it is not well. Needs no server, but for that.
 */
export async function noticeReboot(context: Context): Promise<Result<void>> {
  const { memory, effects, signal } = context;
  // Nothing is looked at while nothing waits for a reboot (P9).
  if (memory.journal.rebootRequired === null) return ok(undefined);
  const { boot } = await effects('poll').machine.facts(memory.journal.fleet);
  if (!hasRebooted(memory.journal, boot)) return ok(undefined);
  const held = await memory.hold(signal);
  if (!held.ok) return held;
  const carried = await carryOn(context);
  if (!carried.ok) return carried;
  // A person's `rollback` may have asked for another one meanwhile.
  if (!hasRebooted(memory.journal, boot)) return ok(undefined);
  if (memory.journal.unproved !== null) {
    const begun = await memory.write(provesNow(memory.journal));
    return begun.ok ? carryOn(context) : begun;
  }
  const rested = { rebootRequired: null };
  const { journal } = memory;
  if (!mayReport(journal)) return memory.write(rested);
  const draft = await draftOf(
    context,
    { event: 'rebooted', running: journal.running },
    { ...journal, ...rested },
  );
  if (!draft.ok) return draft;
  const noted = await memory.write({ ...rested, phase: { at: 'record', draft: draft.value } });
  return noted.ok ? carryOn(context) : noted;
}
