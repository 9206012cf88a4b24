import { foundAt, type Aim } from '../shared/cycle/aim.ts';
import { triedOf } from '../shared/cycle/failed.ts';
import { wayBack, withoutInputs } from '../shared/cycle/guard.ts';
import { placeOf, type BuiltSystem, type Running, type Standing } from '../shared/cycle/journal.ts';
import type { Mode } from '../shared/cycle/phase.ts';
import { withoutUnproved } from '../shared/cycle/reboot.ts';
import { standingOf } from '../shared/cycle/standing.ts';
import { ok, type Result } from '../shared/failure.ts';
import type { Host } from '../shared/fleet/fleet.ts';
import type { ObjectId } from '../shared/objects/object.ts';
import type { Context } from './context.ts';
import { takeBaseline } from './stages/health.ts';
import { settle } from './stages/record.ts';
import { flawed, secretsFlaw } from './stages/secrets.ts';

/** Gives a built system its number and writes the switch into the journal; the switch itself follows from there. */
export async function beginSwitch(
  context: Context,
  built: BuiltSystem,
  host: Host,
  aim: Aim,
  mode: Mode,
): Promise<Result<void>> {
  const { systems } = context.effects('guard');
  const { memory } = context;
  const { revision } = aim;
  const { name, timeouts, health } = host;
  const to = memory.journal.newest + 1;
  const registered = await systems.register({ ...built, number: to, revision });
  if (!registered.ok) return registered;
  // What waits for a reboot has not run: what is gone back to is what does.
  const booted = withoutUnproved(memory.journal);
  const from = wayBack({ ...memory.journal, ...booted }, aim);
  const before =
    from === null && built.kind === 'nixos' ? await context.effects('guard').nix.current() : null;
  const agentBefore = await agentNow(context, built);
  if (!agentBefore.ok) return agentBefore;
  const baseline = await takeBaseline(context, health, revision);
  if (!baseline.ok) return baseline;
  context.senses.log({ kind: 'stage', host: name, stage: 'switch', revision });
  return memory.write({
    ...booted,
    newest: to,
    phase: {
      ...{ at: 'switch', from, to, revision, mode, timeout: timeouts.switch, attempt: 0 },
      tried: triedOf(built, host),
      ...(before === null ? {} : { before }),
      ...(agentBefore.value === null ? {} : { agentBefore: agentBefore.value }),
      baseline: baseline.value,
    },
  });
}

/** The agent that is current, where a system comes with one. */
function agentNow(context: Context, { agent }: BuiltSystem): Promise<Result<string | null>> {
  return agent === undefined ? Promise.resolve(ok(null)) : context.effects('guard').agentFiles.current();
}

/** A system that is the same as what runs: the revision is noted, the build is dropped, nothing is activated. */
export async function leaveAlone(context: Context, built: BuiltSystem, aim: Aim): Promise<Result<void>> {
  const { memory } = context;
  const { revision } = aim;
  const before = memory.journal.running;
  if (before === null) throw new Error('nothing runs, and yet a system is the same as what runs');
  if (placeOf(built) !== placeOf(before)) await context.effects('guard').systems.discard(placeOf(built));
  if (!aim.isTrial && before.revision === revision && isRecorded(memory.journal.standing, revision)) {
    // Without a record, nothing else would remove what was built from.
    await context.effects('guard').trees.remove();
    return lookedAgain(context, revision);
  }
  const running: Running = {
    ...withoutInputs(before),
    revision,
    ...(built.inputs === undefined ? {} : { inputs: built.inputs }),
  };
  const failure = await secretsFlaw(context, running);
  const event = aim.isTrial ? 'testing' : 'unchanged';
  return settle(context, aim, { event, running, ...flawed(failure) }, { running });
}

/** Whether the newest record speaks well of this revision: one that says `held` must not stand once it is over. */
function isRecorded(standing: Standing | null, revision: ObjectId): boolean {
  return standing?.head === revision && standing.code === 0;
}

/** The revision that runs was only looked at again, for new settings or a new agent: there is nothing to record. */
function lookedAgain({ memory, under }: Context, head: ObjectId): Promise<Result<void>> {
  const { standing } = memory.journal;
  const event = standing?.code === 0 ? standing.event : 'unchanged';
  const found = foundAt({ isTrial: false }, standingOf({ event }, { head, under }));
  return memory.write({ ...found, phase: { at: 'idle' } });
}
