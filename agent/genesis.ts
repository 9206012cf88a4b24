import type { Journal } from '../shared/cycle/journal.ts';
import { newJournal } from '../shared/cycle/new-journal.ts';
import { pinsAnother } from '../shared/cycle/plan.ts';
import { fail, ok, type Failure, type Result } from '../shared/failure.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import { draftRecord } from '../shared/record/draft.ts';
import { composeStateCommit, type StateCommit } from '../shared/record/state-commit.ts';
import type { AgentHost, OpenedHost } from './host.ts';
import type { Signer } from './ports.ts';
import type { Effects } from './seam.ts';
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
    seq: 0,
    tip: '',
    recordedAt: now,
  });
  const { id, objects } = await composeGenesis(host, effects, empty, senses.signer);
  const kept = await effects.outbox.add({ seq: 0, id }, objects);
  if (!kept.ok) return kept;
  const follows = pinsAnother(fleet, { host: settings.host, key: senses.signer.key, genesis: id });
  const journal: Journal = { ...empty, seq: 0, genesis: id, tip: id, follows };
  const saved = await effects.journals.save(journal);
  return saved.ok ? ok(journal) : saved;
}

/** A machine's first record: what it is, signed by the key that it wants to be known by. */
export async function composeGenesis(
  { clock, version, guarantees }: AgentHost,
  { machine }: Pick<Effects, 'machine'>,
  journal: Journal,
  signer: Signer,
): Promise<StateCommit> {
  const draft = draftRecord(
    { event: 'enrolled', running: null },
    {
      ...{ version, guarantees, now: clock.now(), seconds: {}, secrets: [], sealed: {} },
      // One before the genesis, which is 0.
      journal: { ...journal, seq: -1, reports: [] },
      facts: await machine.facts(journal.fleet),
    },
  );
  const place = { genesis: null, previous: null, withRevision: false };
  return composeStateCommit(draft, place, (payload) => signer.sign(payload));
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
