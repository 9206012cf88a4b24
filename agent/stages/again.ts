import type { Draft, Phase, Waiting } from '../../shared/cycle/phase.ts';
import { withReport } from '../../shared/cycle/reports.ts';
import { ok, type Result } from '../../shared/failure.ts';
import { draftAgain } from '../../shared/record/again.ts';
import type { Context } from '../context.ts';
import { readFound } from '../objects/read.ts';

/**
 * The phase after a record: the next one of an abandoned chain, for its place on top of this one. One whose bytes are
 * gone or damaged cannot be made again, and must not stop the host for ever: that is reported.
 * @param made the record that was made just now
 */
export async function recordAgain(
  context: Context,
  waiting: readonly Waiting[],
  made: Draft,
): Promise<Result<Phase>> {
  const { memory } = context;
  for (const [index, instead] of waiting.entries()) {
    const again = waiting.slice(index + 1);
    const drafted = await draftOfOld(context, instead, made);
    if (!drafted.ok) return drafted;
    const draft = drafted.value;
    if (typeof draft !== 'string') {
      return ok({ at: 'record', draft, instead, ...(again.length === 0 ? {} : { again }) });
    }
    const report = `record ${instead.seq} (${instead.id}), which the server never had, is lost: ${draft}`;
    context.senses.log({ kind: 'warning', host: memory.journal.host, message: report });
    memory.remember({ reports: withReport(memory.journal.reports, report) });
    await context.effects('record').outbox.drop(instead);
  }
  return ok({ at: 'idle' });
}

/** The old record's draft, or why there is none. Fails only for what another try may mend. */
async function draftOfOld(
  context: Context,
  { seq, id }: Waiting,
  { status, sealed = {} }: Draft,
): Promise<Result<Draft | string>> {
  const { outbox, git } = context.effects('record');
  const isWaiting = (await outbox.list()).some((entry) => entry.id === id);
  const pack = isWaiting ? await outbox.pack({ seq, id }) : undefined;
  if (pack?.ok === false) return ok(pack.failure.cause);
  const stored = pack === undefined ? ok(undefined) : await git.store(pack.value);
  if (!stored.ok) return stored;
  const found = await readFound(git, id);
  if (!found.ok) return ok(found.failure.cause);
  const drafted = draftAgain(found.value, {
    ...{ seq: status.seq + 1, next: status.next, sealed },
  });
  return drafted.ok ? drafted : ok(drafted.failure);
}
