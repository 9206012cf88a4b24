import type { Aim } from '../shared/cycle/aim.ts';
import { isApproved, mayRecord, plan, wasPinned, type Plan, type Self } from '../shared/cycle/plan.ts';
import type { Journal, Pace } from '../shared/cycle/journal.ts';
import { ok, type Result } from '../shared/failure.ts';
import type { Fleet } from '../shared/fleet/fleet.ts';
import { keyOf } from '../shared/secrets/sealed.ts';
import type { Context } from './context.ts';
import type { Verified } from './stages/verify.ts';

/**
 * The plan for a verified revision; what the head says of this machine and its pace goes into the journal. What is only
 * tried changes neither; and one that pins this machine's new key is noted once that key is taken.
 */
export async function decide(
  context: Context,
  { fleet, revision }: Verified,
  aim: Aim,
): Promise<Result<Plan>> {
  const { byHand, memory, senses, settings } = context;
  const { journal } = memory;
  const self: Self = {
    host: settings.host,
    key: senses.signer.key,
    genesis: journal.genesis,
    fleet: journal.fleet,
  };
  if (aim.isTrial) return ok(plan(fleet, self, senses.clock.now(), { byHand }));
  const { successor, replaced, key } = journal;
  const past = { wasPinned: wasPinned(journal), key, successor, replacedBy: replaced ?? revision };
  const planned = plan(fleet, self, senses.clock.now(), { byHand, past });
  if (planned.do === 'succeed') return ok(planned);
  const change: Partial<Journal> = {
    approved: mayRecord(fleet, self, journal.approved),
    pace: paceOf(fleet, context) ?? journal.pace,
    readers: fleet.readers.map(keyOf),
    ...(isApproved(fleet, self) ? { key: self.key, replaced: null } : {}),
    ...(planned.do === 'end' ? { replaced: past.replacedBy } : {}),
  };
  const isKnown = JSON.stringify({ ...journal, ...change }) === JSON.stringify(journal);
  const noted = isKnown ? ok(undefined) : await memory.write(change);
  return noted.ok ? ok(planned) : noted;
}

function paceOf(fleet: Fleet, { settings }: Context): Pace | undefined {
  const host = fleet.hosts.get(settings.host);
  if (host === undefined) return undefined;
  const { interval, heartbeat, timeouts, drift, keep, luksHeaders } = host;
  return {
    ...{ interval: settings.interval ?? interval, heartbeat, fetch: timeouts.fetch, keep },
    ...(drift === 'correct' ? { corrects: true } : {}),
    ...(luksHeaders ? { luksHeaders } : {}),
  };
}
