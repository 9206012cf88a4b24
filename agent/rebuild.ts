import type { Journal } from '../shared/cycle/journal.ts';
import type { Waiting } from '../shared/cycle/phase.ts';
import { firstPace, newJournal } from '../shared/cycle/new-journal.ts';
import { pinnedFor } from '../shared/cycle/plan.ts';
import { withReport } from '../shared/cycle/reports.ts';
import { continued, floorsOf, newestOf, runningByRecord } from '../shared/cycle/restore.ts';
import { fail, ok, type Failure, type Result } from '../shared/failure.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import type { ObjectId } from '../shared/objects/object.ts';
import { draftRecord } from '../shared/record/draft.ts';
import type { OwnRecord } from '../shared/record/own-record.ts';
import type { Pinned } from '../shared/record/tip.ts';
import { findFleet, writeSettings } from './enrol.ts';
import { alone, type AgentHost, type OpenedHost } from './host.ts';
import { readFound } from './objects/read.ts';
import { takeSealed } from './stages/ledger.ts';
import { isBreak, walkChain } from './stages/own-chain.ts';

/** Where the machine goes on. */
export interface Rebuilt {
  readonly seq: number;
  readonly tip: ObjectId;
}

/**
 * A new journal for a machine that lost its own, from what the host itself signed: its good state down to the genesis
 * that an authentic revision pins, and nothing less (S2). It is a new installation, for nobody knows what the old one
 * did last. The agent finishes the rest: the journal says what to record.
 */
export async function rebuild(
  host: AgentHost,
  opened: OpenedHost,
  settings: AgentSettings,
  signal: AbortSignal,
): Promise<Result<Rebuilt>> {
  return alone(host, signal, async () => {
    const fleet = await findFleet(host, opened, settings, signal);
    if (!fleet.ok) return fleet;
    const pinned = pinnedFor(fleet.value.fleet, { host: settings.host, key: opened.senses.signer.key });
    if (!pinned.ok) return fail(unresumable(pinned.failure));
    const records = await goodState(opened, pinned.value, signal);
    if (!records.ok) return records;
    return begin(host, opened, { settings, pinned: pinned.value, records: records.value });
  });
}

/** The host's whole history, newest first, every link of it good (S8). */
async function goodState(
  { effects: { git } }: OpenedHost,
  pinned: Pinned,
  signal: AbortSignal,
): Promise<Result<readonly OwnRecord[]>> {
  const branch = `state/${pinned.host}`;
  const tip = await git.fetchState({ timeout: firstPace.fetch, signal });
  if (!tip.ok) return tip;
  if (tip.value === null) return fail(noGoodState('the server shows no such branch', branch));
  const { id, isRefused } = tip.value;
  if (isRefused) return fail(noGoodState('git refuses what the server shows there', id));
  const top = await readFound(git, id);
  if (!top.ok) return top;
  const walked = await walkChain(git, top.value, pinned, () => Promise.resolve(false));
  if (walked.ok) return ok(walked.value.records);
  const problem = walked.failure;
  return fail(isBreak(problem) ? noGoodState(problem.problem, problem.where) : problem);
}

interface Grounds {
  readonly settings: AgentSettings;
  readonly pinned: Pinned;
  /** Newest first, down to the genesis. */
  readonly records: readonly OwnRecord[];
}

/** One write of the journal is what counts: cut off before it, nothing has begun. */
async function begin(
  host: AgentHost,
  { effects }: OpenedHost,
  { settings, pinned, records }: Grounds,
): Promise<Result<Rebuilt>> {
  const [top] = records;
  const genesis = records.at(-1)?.id;
  if (top === undefined || genesis === undefined) throw new Error('a good chain has at least its genesis');
  const written = await writeSettings(host, settings);
  if (!written.ok) return written;
  const now = host.clock.now();
  const generations = await effects.systems.generations();
  const running = runningByRecord(records, generations);
  const whose = { fleet: pinned.fleet, host: settings.host };
  const taken = await takeSealed(effects, top.id, whose);
  const sealed = await effects.ledgers.ids();
  if (!sealed.ok) return sealed;
  const lost = `the journal of this machine was lost: it goes on from record ${top.seq} (${top.id})`;
  const journal: Journal = {
    ...newJournal({
      ...{ fleet: pinned.fleet, host: settings.host, installation: host.random.id(), genesis },
      // Under no measure: its history is judged once more from the introduction.
      ...{ accepted: top.accepted, acceptedUnder: '' },
      ...{ seq: top.seq, tip: top.id, recordedAt: now },
    }),
    ...continued(top, now),
    approved: true,
    key: pinned.key,
    floors: floorsOf(records, top.accepted),
    reports: taken.ok ? withReport([], lost) : withReport([lost], unopened(top.id, taken.failure)),
    running,
    newest: newestOf(records, generations),
    lastGood: running?.generation ?? null,
  };
  const draft = draftRecord(
    { event: 'restored', running },
    {
      ...{ journal, version: host.version, guarantees: host.guarantees, now, seconds: {}, secrets: [] },
      sealed: sealed.value,
      facts: await effects.machine.facts(pinned.fleet),
    },
  );
  const { again, arrived } = await sortOutbox(effects, records);
  const phase = { at: 'record', draft, ...(again.length === 0 ? {} : { again }) } as const;
  const saved = await effects.journals.save({ ...journal, phase });
  if (!saved.ok) return saved;
  for (const entry of arrived) await effects.outbox.drop(entry);
  return ok({ seq: top.seq, tip: top.id });
}

function unopened(record: ObjectId, { cause }: Failure): string {
  return `the ledger of record ${record} is not taken over: ${cause}`;
}

/** What waits from the earlier life: records that are to be made again, and those that arrived or were a beginning. */
async function sortOutbox({ outbox }: OpenedHost['effects'], records: readonly OwnRecord[]) {
  const known = new Set(records.map(({ id }) => id));
  const isNews = ({ id, seq }: Waiting): boolean => seq > 0 && !known.has(id);
  const waiting = await outbox.list();
  return { again: waiting.filter(isNews), arrived: waiting.filter((entry) => !isNews(entry)) };
}

function unresumable(failure: Failure): Failure {
  if (failure.kind !== 'held') return failure;
  return { ...failure, remedy: 'there is nothing to resume then: run `autark enroll` to begin' };
}

/** Nothing says what this host may not go below, so it begins nothing (S2, P4). */
function noGoodState(problem: string, where: string): Failure {
  return {
    kind: 'held',
    cause: `this machine has neither a journal nor good state: ${problem}`,
    where,
    remedy:
      'restore journal.json from a backup, or have the server show the host’s own branch again; else have an admin ' +
      'remove key and genesis of the host from fleet.yaml, move var/lib/autark away, and enrol and approve it anew',
  };
}
