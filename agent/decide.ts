import type { Aim } from '../shared/cycle/aim.ts';
import { mayRecord, plan, type Plan, type Self } from '../shared/cycle/plan.ts';
import type { Pace } from '../shared/cycle/journal.ts';
import { ok, type Result } from '../shared/failure.ts';
import type { Fleet } from '../shared/fleet/fleet.ts';
import type { Context } from './context.ts';
import type { Verified } from './stages/verify.ts';

/**
 * The plan for a verified revision; what the head says of this machine and its pace goes into the journal. What is only
 * tried changes neither.
 */
export async function decide(context: Context, { fleet }: Verified, aim: Aim): Promise<Result<Plan>> {
  const { byHand, memory, senses, settings } = context;
  const { journal } = memory;
  const self: Self = {
    host: settings.host,
    key: senses.signer.key,
    genesis: journal.genesis,
    fleet: journal.fleet,
  };
  if (aim.isTrial) return ok(plan(fleet, self, senses.clock.now(), byHand));
  const approved = mayRecord(fleet, self, journal.approved);
  const pace = paceOf(fleet, context) ?? journal.pace;
  const isKnown = approved === journal.approved && JSON.stringify(pace) === JSON.stringify(journal.pace);
  const noted = isKnown ? ok(undefined) : await memory.write({ approved, pace });
  return noted.ok ? ok(plan(fleet, self, senses.clock.now(), byHand)) : noted;
}

function paceOf(fleet: Fleet, { settings }: Context): Pace | undefined {
  const host = fleet.hosts.get(settings.host);
  if (host === undefined) return undefined;
  const { interval, heartbeat, timeouts } = host;
  return { interval: settings.interval ?? interval, heartbeat, fetch: timeouts.fetch };
}
