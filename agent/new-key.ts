import type { Journal, Successor } from '../shared/cycle/journal.ts';
import { firstPace } from '../shared/cycle/new-journal.ts';
import { fail, ok, type Failure, type Result } from '../shared/failure.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import { composeGenesis } from './genesis.ts';
import { alone, whileOpen, type AgentHost, type OpenedHost } from './host.ts';
import { openMemory, type Memory } from './memory.ts';
import type { Signer } from './ports.ts';
import { pushEnrolment } from './stages/enrolment.ts';

/** What `enroll --new-key` tells the person. */
export interface NewKey {
  /** `TYPE BASE64`. */
  readonly key: string;
  readonly host: string;
  /** False when an agent runs here, which brings it to the server in its next cycle. */
  readonly isOffered: boolean;
}

/**
 * Offers another key of this machine for approval: a genesis of the same installation, signed by that key, waits for an
 * admin like any other, while the machine goes on under its old key. Beside a running agent the journal alone is written,
 * for the Git directory is the agent's. Interrupted anywhere, the same call continues.
 */
export async function offerKey(
  host: AgentHost,
  settings: AgentSettings,
  file: string,
  signal: AbortSignal,
): Promise<Result<NewKey>> {
  return whileOpen(host, settings, async (opened): Promise<Result<NewKey>> => {
    const kept = await withJournal(host, opened, signal, (memory) =>
      keepSuccessor(host, opened, memory, file),
    );
    if (!kept.ok) return kept;
    const { key, isOffered } = kept.value;
    const said = { key, host: settings.host };
    if (isOffered) return ok({ ...said, isOffered });
    const offered = await alone(host, signal, () => offer(host, opened, kept.value, signal));
    if (offered.ok) return ok({ ...said, isOffered: true });
    if (offered.failure.kind === 'locked') return ok({ ...said, isOffered: false });
    return fail(keptHere(offered.failure));
  });
}

async function withJournal<Value>(
  { locks }: AgentHost,
  { effects: { journals } }: OpenedHost,
  signal: AbortSignal,
  work: (memory: Memory) => Promise<Result<Value>>,
): Promise<Result<Value>> {
  const memory = await openMemory(journals, locks);
  if (!memory.ok) return memory;
  const held = await memory.value.hold(signal);
  if (!held.ok) return held;
  try {
    return await work(memory.value);
  } finally {
    await memory.value.release();
  }
}

/** The successor that the journal has, or a new one: its genesis is in the outbox before the journal names it. */
async function keepSuccessor(
  host: AgentHost,
  opened: OpenedHost,
  memory: Memory,
  file: string,
): Promise<Result<Successor>> {
  const { journal } = memory;
  const { successor } = journal;
  if (!journal.approved) return fail(notApproved(journal.host));
  const signer = await host.keys.at(file, `autark ${journal.host}`);
  if (!signer.ok) return signer;
  const { key } = signer.value;
  if (key === opened.senses.signer.key) return fail(sameKey(file));
  if (successor?.key === key) {
    if (successor.file === file) return ok(successor);
    const moved = { ...successor, file };
    const noted = await memory.write({ successor: moved });
    return noted.ok ? ok(moved) : noted;
  }
  const before = successor === null ? null : await host.keys.signer(successor.file);
  if (successor !== null && before?.ok === true && before.value.key === successor.key) {
    return fail(otherWaits(successor));
  }
  const made = await makeGenesis(host, opened, journal, signer.value);
  if (!made.ok) return made;
  const next: Successor = { file, key, genesis: made.value, isOffered: false };
  const noted = await memory.write({ successor: next });
  return noted.ok ? ok(next) : noted;
}

async function makeGenesis(
  host: AgentHost,
  { effects }: OpenedHost,
  journal: Journal,
  signer: Signer,
): Promise<Result<string>> {
  const { outbox } = effects;
  // What an earlier call left that was cut off, or whose key is gone.
  for (const entry of await outbox.list()) {
    if (entry.seq === 0 && entry.id !== journal.genesis) await outbox.drop(entry);
  }
  const { id, objects } = await composeGenesis(host, effects, journal, signer);
  const kept = await outbox.add({ seq: 0, id }, objects);
  return kept.ok ? ok(id) : kept;
}

async function offer(
  host: AgentHost,
  opened: OpenedHost,
  { key, genesis }: Successor,
  signal: AbortSignal,
): Promise<Result<void>> {
  return withJournal(host, opened, signal, async (memory) => {
    const { successor } = memory.journal;
    // An agent that ran in between has done it, or has taken the key already.
    if (successor?.genesis !== genesis || successor.isOffered) return ok(undefined);
    const bounds = { timeout: firstPace.fetch, signal };
    const pushed = await pushEnrolment(opened.effects, { host: memory.journal.host, key, genesis }, bounds);
    return pushed.ok ? memory.write({ successor: { ...successor, isOffered: true } }) : pushed;
  });
}

/** Offline is no reason to begin again. */
function keptHere(failure: Failure): Failure {
  const remedy =
    'the new key is kept: run this again, or leave it to the agent, which offers it as soon as it can';
  return { ...failure, remedy: `${failure.remedy}; ${remedy}` };
}

function notApproved(host: string): Failure {
  return {
    kind: 'held',
    cause: `${host} is not approved, so its old key need not be replaced`,
    where: 'var/lib/autark/journal.json',
    remedy:
      'have this machine approved first; or move var/lib/autark and agent.yaml away, and enrol with --key FILE',
  };
}

function sameKey(file: string): Failure {
  return {
    kind: 'usage',
    cause: 'this is the key that the machine has already',
    where: file,
    remedy: 'name another file: the key is made there if there is none',
  };
}

function otherWaits({ file }: Successor): Failure {
  return {
    kind: 'usage',
    cause: 'another new key of this machine waits for approval',
    where: file,
    remedy: `run this again with --new-key ${file}; or remove that file first, to offer another key in its place`,
  };
}
