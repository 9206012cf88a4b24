import { withoutInputs } from '../shared/cycle/guard.ts';
import type { BuiltSystem, Running, Standing } from '../shared/cycle/journal.ts';
import { standingOf } from '../shared/cycle/standing.ts';
import type { Result } from '../shared/failure.ts';
import type { Host } from '../shared/fleet/fleet.ts';
import type { ObjectId } from '../shared/objects/object.ts';
import type { Context } from './context.ts';
import { settle } from './stages/record.ts';

/** Gives a built system its number and writes the switch into the journal; the switch itself follows from there. */
export async function beginSwitch(
  context: Context,
  built: BuiltSystem,
  host: Host,
  revision: ObjectId,
): Promise<Result<void>> {
  const { systems } = context.effects('guard');
  const { memory } = context;
  const to = memory.journal.newest + 1;
  const registered = await systems.register({ ...built, number: to, revision });
  if (!registered.ok) return registered;
  const from = memory.journal.running?.generation ?? null;
  const { activate: mode, timeouts } = host;
  context.senses.log({ kind: 'stage', host: host.name, stage: 'switch', revision });
  return memory.write({
    newest: to,
    phase: { at: 'switch', from, to, revision, mode, timeout: timeouts.switch, attempt: 0 },
  });
}

/** A system that is the same as what runs: the revision is noted, the build is dropped, nothing is activated. */
export async function leaveAlone(
  context: Context,
  built: BuiltSystem,
  revision: ObjectId,
): Promise<Result<void>> {
  const { memory } = context;
  const before = memory.journal.running;
  if (before === null) throw new Error('nothing runs, and yet a system is the same as what runs');
  if (built.path !== before.path) await context.effects('guard').systems.discard(built.path);
  if (before.revision === revision && isRecorded(memory.journal.standing, revision)) {
    // Without a record, nothing else would remove what was built from.
    await context.effects('guard').trees.remove();
    return lookedAgain(context, revision);
  }
  const running: Running = {
    ...withoutInputs(before),
    revision,
    ...(built.inputs === undefined ? {} : { inputs: built.inputs }),
  };
  return settle(context, revision, { event: 'unchanged', running }, { running });
}

/** Whether the newest record speaks well of this revision: one that says `held` must not stand once it is over. */
function isRecorded(standing: Standing | null, revision: ObjectId): boolean {
  return standing?.head === revision && standing.code === 0;
}

/** The revision that runs was only looked at again, for new settings or a new agent: there is nothing to record. */
function lookedAgain({ memory, under }: Context, head: ObjectId): Promise<Result<void>> {
  const { standing } = memory.journal;
  const event = standing?.code === 0 ? standing.event : 'unchanged';
  return memory.write({ standing: standingOf({ event }, { head, under }), phase: { at: 'idle' } });
}
