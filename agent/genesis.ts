import type { Journal } from '../shared/cycle/journal.ts';
import { newJournal } from '../shared/cycle/new-journal.ts';
import { fail, ok, type Failure, type Result } from '../shared/failure.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import { draftRecord } from '../shared/record/draft.ts';
import { composeStateCommit } from '../shared/record/state-commit.ts';
import type { AgentHost, OpenedHost } from './host.ts';
import { measureName, type Verified } from './stages/verify.ts';

/** The journal of this installation: the one that is there, or a new life with its genesis. */
export async function begin(
  host: AgentHost,
  opened: OpenedHost,
  settings: AgentSettings,
  found: Verified,
): Promise<Result<Journal>> {
  const { journals } = opened.effects;
  const before = await journals.load();
  if (!before.ok) return before;
  if (before.value !== null) {
    const { fleet: enrolledIn, host: enrolledAs } = before.value;
    const isSame = enrolledIn === found.fleet.fleet && enrolledAs === settings.host;
    return isSame ? ok(before.value) : fail(elsewhere(enrolledAs, enrolledIn));
  }
  const remains = await earlierLife(opened);
  return remains === undefined ? makeGenesis(host, opened, settings, found) : fail(remains);
}

async function makeGenesis(
  host: AgentHost,
  { effects, senses }: OpenedHost,
  settings: AgentSettings,
  { fleet, revision }: Verified,
): Promise<Result<Journal>> {
  const now = host.clock.now();
  const empty = newJournal({
    fleet: fleet.fleet,
    host: settings.host,
    installation: host.random.id(),
    genesis: '',
    accepted: revision,
    acceptedUnder: measureName(settings.introduction, settings.floor),
    // One before the genesis, which is 0.
    seq: -1,
    tip: '',
    recordedAt: now,
  });
  const draft = draftRecord(
    { event: 'enrolled', running: null },
    {
      journal: empty,
      facts: await effects.machine.facts(fleet.fleet),
      version: host.version,
      guarantees: host.guarantees,
      now,
      seconds: {},
    },
  );
  const place = { genesis: null, previous: null, withRevision: false };
  const { id, objects } = composeStateCommit(draft, place, (payload) => senses.signer.sign(payload));
  const kept = await effects.outbox.add({ seq: 0, id }, objects);
  if (!kept.ok) return kept;
  const journal: Journal = { ...empty, seq: 0, genesis: id, tip: id };
  const saved = await effects.journals.save(journal);
  return saved.ok ? ok(journal) : saved;
}

/**
 * A machine without a journal but with generations or records had an earlier life that nobody remembers: it is not
 * taken for a new one (P4). A genesis alone is an enrolment that was cut off before it counted.
 */
async function earlierLife({ effects }: OpenedHost): Promise<Failure | undefined> {
  const generations = await effects.systems.generations();
  const waiting = await effects.outbox.list();
  if (generations.length === 0 && waiting.every(({ seq }) => seq === 0)) {
    for (const entry of waiting) await effects.outbox.drop(entry);
    return undefined;
  }
  return {
    kind: 'held',
    cause: 'this machine has generations or records of an earlier life, but no journal of it',
    where: 'var/lib/autark',
    remedy:
      'restore journal.json; or go on from the records on the server with `autark enroll --resume`; ' +
      'or move the folder away to begin a new installation',
  };
}

function elsewhere(host: string, fleet: string): Failure {
  return {
    kind: 'not-this-host',
    cause: `this machine is enrolled already, as ${host} of fleet ${fleet}`,
    where: 'var/lib/autark/journal.json',
    remedy: 'to make it another host, stop the agent and move var/lib/autark away first',
  };
}
