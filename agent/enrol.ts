import { fail, ok, type Result } from '../shared/failure.ts';
import { formatAgentSettings } from '../shared/fleet/agent-yaml.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import { firstPace } from '../shared/cycle/new-journal.ts';
import { isApproved, pinsAnother } from '../shared/cycle/plan.ts';
import { alone, whileOpen, type AgentHost, type OpenedHost } from './host.ts';
import { begin } from './genesis.ts';
import { pushEnrolment } from './stages/enrolment.ts';
import { isAuthentic, readFleet, type Verified } from './stages/verify.ts';

/** What `enroll` tells the person. */
export interface Enrolled {
  /** `TYPE BASE64`. */
  readonly key: string;
  readonly host: string;
  /** True when an authentic revision pins this machine already. */
  readonly approved: boolean;
  /** True when one pins another machine under this name. */
  readonly replaces: boolean;
}

/**
 * Makes this machine known: its journal begins, and its genesis is pushed for an admin to approve. Interrupted at
 * any point, the same call continues: the journal is written once, and the genesis waits in the outbox.
 */
export async function enrol(
  host: AgentHost,
  settings: AgentSettings,
  signal: AbortSignal,
): Promise<Result<Enrolled>> {
  // An agent that runs has enrolled already.
  return alone(host, signal, () =>
    whileOpen(host, settings, (opened) => enrolAlone(host, opened, settings, signal)),
  );
}

async function enrolAlone(
  host: AgentHost,
  opened: OpenedHost,
  settings: AgentSettings,
  signal: AbortSignal,
): Promise<Result<Enrolled>> {
  const fleet = await findFleet(host, opened, settings, signal);
  if (!fleet.ok) return fleet;
  const history = await historyOf(opened, settings, fleet.value, signal);
  if (!history.ok) return history;
  // Only now: settings that were never right must not stand in the way of the next call.
  const written = await writeSettings(host, settings);
  if (!written.ok) return written;
  const journal = await begin(host, opened, settings, fleet.value);
  if (!journal.ok) return journal;
  const { approved, genesis } = journal.value;
  const { key } = opened.senses.signer;
  const bounds = { timeout: firstPace.fetch, signal };
  const waiting = { host: settings.host, key, genesis };
  const pushed = approved ? ok(undefined) : await pushEnrolment(opened.effects, waiting, bounds);
  if (!pushed.ok) return pushed;
  const { fleet: file } = fleet.value;
  // Whoever was invited by their key is pinned before they have a genesis.
  const isPinned = approved || isApproved(file, { ...waiting, fleet: file.fleet });
  return ok({ key, host: settings.host, approved: isPinned, replaces: pinsAnother(file, waiting) });
}

/**
 * A key that is pinned and has records on the server had a life before. Without its journal, a second genesis would
 * leave all that behind without a word (P4).
 */
async function historyOf(
  { effects, senses }: OpenedHost,
  { host }: AgentSettings,
  { fleet }: Verified,
  signal: AbortSignal,
): Promise<Result<void>> {
  const before = await effects.journals.load();
  if (!before.ok) return before;
  if (before.value !== null || fleet.hosts.get(host)?.key !== senses.signer.key) return ok(undefined);
  const tip = await effects.git.fetchState({ timeout: firstPace.fetch, signal });
  if (!tip.ok) return tip;
  if (tip.value === null) return ok(undefined);
  return fail({
    kind: 'held',
    cause: `this machine's key has a history as ${host}, and there is no journal of it here`,
    where: `state/${host}, ${tip.value.id}`,
    remedy: 'to go on from there, run `autark enroll --resume` with the same options',
  });
}

export async function writeSettings(
  { settings: file }: AgentHost,
  settings: AgentSettings,
): Promise<Result<void>> {
  const before = await file.load();
  if (!before.ok || before.value !== null) return before.ok ? ok(undefined) : before;
  return file.write(formatAgentSettings(settings));
}

/** The fleet's file, as a head that is authentic under the given introduction has it. */
export async function findFleet(
  { version }: AgentHost,
  { effects: { git } }: OpenedHost,
  { introduction, floor, dir }: AgentSettings,
  signal: AbortSignal,
): Promise<Result<Verified>> {
  const head = await git.fetchHead({ timeout: firstPace.fetch, signal });
  if (!head.ok) return head;
  const floors = floor === undefined ? [] : [floor];
  const authentic = await isAuthentic(git, head.value, { introduction, floors, known: [] });
  return authentic.ok ? readFleet(git, head.value, { dir, version }) : authentic;
}
