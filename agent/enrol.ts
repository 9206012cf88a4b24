import { ok, fail, type Failure, type Result } from '../shared/failure.ts';
import { formatAgentSettings } from '../shared/fleet/agent-yaml.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import type { Journal } from '../shared/cycle/journal.ts';
import type { ObjectId } from '../shared/objects/object.ts';
import { draftRecord } from '../shared/record/draft.ts';
import { composeStateCommit } from '../shared/record/state-commit.ts';
import type { AgentHost, OpenedHost } from './host.ts';
import { through } from './seam.ts';
import { enrolRef } from './stages/deliver.ts';
import { isAuthentic, measureName, readFleet } from './stages/verify.ts';

/** What `enroll` tells the person. */
export interface Enrolled {
  /** `TYPE BASE64`. */
  readonly key: string;
  readonly host: string;
  /** True when an authentic revision pins this machine already. */
  readonly approved: boolean;
}

/** The pace of a host before `fleet.yaml` says another, in milliseconds. */
export const firstPace = { interval: 60_000, heartbeat: 24 * 3_600_000, fetch: 5 * 60_000 } as const;

/**
 * Makes this machine known: its journal begins, and its genesis is pushed for an admin to approve. Interrupted at
 * any point, the same call continues: the journal is written once, and the genesis waits in the outbox.
 */
export async function enrol(
  host: AgentHost,
  settings: AgentSettings,
  signal: AbortSignal,
): Promise<Result<Enrolled>> {
  // An agent that runs has enrolled already, and works in the same Git directory.
  const unlock = await host.locks.acquire('daemon', { timeout: 0, signal });
  if (!unlock.ok) return unlock;
  try {
    return await enrolAlone(host, settings, signal);
  } finally {
    await unlock.value();
  }
}

async function enrolAlone(
  host: AgentHost,
  settings: AgentSettings,
  signal: AbortSignal,
): Promise<Result<Enrolled>> {
  const found = await host.open(settings);
  if (!found.ok) return found;
  const opened = { ...found.value, effects: through(host.perform, 'record', found.value.effects) };
  try {
    const fleet = await findFleet(host, opened, settings, signal);
    if (!fleet.ok) return fleet;
    // Only now: settings that were never right must not stand in the way of the next call.
    const written = await writeSettings(host, settings);
    if (!written.ok) return written;
    const journal = await begin(host, opened, settings, fleet.value);
    if (!journal.ok) return journal;
    const { approved } = journal.value;
    const pushed = approved ? ok(undefined) : await pushGenesis(opened, journal.value, signal);
    const { key } = opened.senses.signer;
    return pushed.ok ? ok({ key, host: settings.host, approved }) : pushed;
  } finally {
    await opened.close();
  }
}

async function writeSettings({ settings: file }: AgentHost, settings: AgentSettings): Promise<Result<void>> {
  const before = await file.load();
  if (!before.ok || before.value !== null) return before.ok ? ok(undefined) : before;
  return file.write(formatAgentSettings(settings));
}

/** A fleet, as a head that is authentic under the given introduction names it. */
interface FoundFleet {
  readonly fleet: string;
  readonly head: ObjectId;
}

async function findFleet(
  { version }: AgentHost,
  { effects: { git } }: OpenedHost,
  { introduction, floor, dir }: AgentSettings,
  signal: AbortSignal,
): Promise<Result<FoundFleet>> {
  const head = await git.fetchHead({ timeout: firstPace.fetch, signal });
  if (!head.ok) return head;
  const floors = floor === undefined ? [] : [floor];
  const authentic = await isAuthentic(git, head.value, { introduction, floors, known: [] });
  if (!authentic.ok) return authentic;
  const read = await readFleet(git, head.value, { dir, version });
  return read.ok ? ok({ fleet: read.value.fleet.fleet, head: head.value }) : read;
}

/** The journal of this installation: the one that is there, or a new life with its genesis. */
async function begin(
  host: AgentHost,
  opened: OpenedHost,
  settings: AgentSettings,
  found: FoundFleet,
): Promise<Result<Journal>> {
  const { journals } = opened.effects;
  const before = await journals.load();
  if (!before.ok) return before;
  if (before.value !== null) {
    const { fleet: enrolledIn, host: enrolledAs } = before.value;
    const isSame = enrolledIn === found.fleet && enrolledAs === settings.host;
    return isSame ? ok(before.value) : fail(elsewhere(enrolledAs, enrolledIn));
  }
  const remains = await earlierLife(opened);
  return remains === undefined ? makeGenesis(host, opened, settings, found) : fail(remains);
}

async function makeGenesis(
  host: AgentHost,
  { effects, senses }: OpenedHost,
  settings: AgentSettings,
  { fleet, head }: FoundFleet,
): Promise<Result<Journal>> {
  const now = host.clock.now();
  const life = { format: 1, fleet, host: settings.host, installation: host.random.id() } as const;
  const empty = {
    ...life,
    approved: false,
    accepted: head,
    acceptedUnder: measureName(settings.introduction, settings.floor),
    // One before the genesis, which is 0.
    seq: -1,
    delivered: null,
    recordedAt: now,
    running: null,
    newest: 0,
    previous: null,
    lastGood: null,
    rebootRequired: null,
    pace: firstPace,
    standing: null,
    trial: null,
    overtaken: null,
    phase: { at: 'idle' },
  } as const;
  const draft = draftRecord(
    { event: 'enrolled', running: null },
    {
      journal: { ...empty, genesis: '', tip: '' },
      facts: await effects.machine.facts(fleet),
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
    remedy: 'restore journal.json, or move the folder away to begin a new installation',
  };
}

async function pushGenesis(
  { effects, senses }: OpenedHost,
  { host, genesis }: Journal,
  signal: AbortSignal,
): Promise<Result<void>> {
  const { git, outbox } = effects;
  for (const entry of await outbox.list()) {
    const pack = await outbox.pack(entry);
    const stored = pack.ok ? await git.store(pack.value) : pack;
    if (!stored.ok) return stored;
  }
  const ref = enrolRef(host, senses.signer.key);
  if (ref === undefined) throw new Error('the signer holds a key that cannot be parsed');
  // The branch is named after this machine's key: what else is there is an earlier life of it, never approved.
  return git.push([{ ref, to: genesis, expected: null, isForced: true }], {
    timeout: firstPace.fetch,
    signal,
  });
}

function elsewhere(host: string, fleet: string): Failure {
  return {
    kind: 'not-this-host',
    cause: `this machine is enrolled already, as ${host} of fleet ${fleet}`,
    where: 'var/lib/autark/journal.json',
    remedy: 'to make it another host, stop the agent and move var/lib/autark away first',
  };
}
