import { wayBackByHand } from '../shared/cycle/guard.ts';
import { heldByHand, type Hold } from '../shared/cycle/hold.ts';
import type { Generation, Journal, Running } from '../shared/cycle/journal.ts';
import type { Mode, Phase } from '../shared/cycle/phase.ts';
import { exitCode, fail, ok, type Failure, type FailureKind, type Result } from '../shared/failure.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import type { Revision } from '../shared/record/draft.ts';
import { carryOn } from './carry-on.ts';
import type { Context } from './context.ts';
import type { AgentHost } from './host.ts';
import { openMemory, type Memory } from './memory.ts';
import { contextOf, type Opening } from './opening.ts';
import { portThrough } from './seam.ts';
import { guardBack } from './stages/guard.ts';
import { describe } from './stages/record.ts';

/** From which generation to which. */
export interface Way {
  readonly from: Running;
  readonly to: Generation;
  /** The revision of the latter, with its subject where it can be read. */
  readonly revision: Revision;
}

/** What `rollback` did. */
export type WentBack =
  /** With mode `boot` it runs from the next boot on. */
  | { readonly did: 'back'; readonly way: Way; readonly mode: Mode }
  /** A call before this one was cut off: it is finished now, and nothing further was gone back. */
  | { readonly did: 'finished'; readonly running: Running | null };

/** Milliseconds that an activation may take: what holds where `fleet.yaml`, which may be out of reach, says nothing. */
const timeout = 15 * 60_000;

/**
 * Goes back to what ran before and holds the host: offline, and beside an agent, which waits meanwhile. The hold is on
 * disk before the switch begins, so that after a power cut the machine never goes forward again by itself; the switch
 * is a phase of the journal like any other, and is finished or undone by whoever comes next.
 * @param agree asks the person, before anything is locked
 */
export async function goBack(
  host: AgentHost,
  settings: AgentSettings,
  signal: AbortSignal,
  agree: (way: Way) => Promise<boolean>,
): Promise<Result<WentBack>> {
  // The agent's gits, if one runs, are not leftovers of ours.
  const opened = await host.open(settings, { isGuest: true });
  if (!opened.ok) return opened;
  try {
    const journals = portThrough(host.perform, 'record', 'journals', opened.value.effects.journals);
    const memory = await openMemory(journals, host.locks);
    if (!memory.ok) return memory;
    return await walkBack({ host, settings, opened: opened.value, signal }, memory.value, agree);
  } finally {
    await opened.value.close();
  }
}

async function walkBack(
  opening: Opening,
  memory: Memory,
  agree: (way: Way) => Promise<boolean>,
): Promise<Result<WentBack>> {
  const context = await contextNow(opening, memory);
  const planned = isHalfDone(memory.journal.phase) ? undefined : await planBack(context);
  if (planned?.ok === false) return planned;
  if (planned !== undefined && !(await agree(planned.value))) return fail(declined);
  const held = await memory.hold(opening.signal);
  if (!held.ok) return fail(busy(held.failure));
  try {
    const { phase } = memory.journal;
    const recovered = await carryOn(context);
    if (!recovered.ok) return recovered;
    if (isHalfDone(phase)) return finished(memory.journal, phase);
    const way = await planBack(context);
    if (!way.ok) return way;
    const isAsAsked = planned?.value.from.generation === way.value.from.generation;
    return isAsAsked ? await switchBack(opening, memory, way.value) : fail(changed(way.value));
  } finally {
    await memory.release();
  }
}

async function contextNow(opening: Opening, memory: Memory): Promise<Context> {
  const { host, opened } = opening;
  const holds = portThrough(host.perform, 'record', 'holds', opened.effects.holds);
  return contextOf(opening, memory, heldByHand(await holds.load(), host.clock.now()));
}

/** What is gone back to and whether the disk has it: decided before anything is changed. */
async function planBack(context: Context): Promise<Result<Way>> {
  const { journal } = context.memory;
  const { running: from } = journal;
  const number = wayBackByHand(journal);
  if (from === null || number === null) return fail(nowhere(from));
  const generations = await context.effects('rollback').systems.generations();
  const to = generations.find((each) => each.number === number);
  if (to === undefined) return fail(gone(number));
  return ok({ from, to, revision: await describe(context, to.revision) });
}

async function switchBack(opening: Opening, memory: Memory, way: Way): Promise<Result<WentBack>> {
  const { from, to } = way;
  const before = await contextNow(opening, memory);
  const mode = await guardBack(before, to, memory.journal.host);
  if (!mode.ok) return mode;
  const { holds } = before.effects('rollback');
  const earlier = await holds.load();
  const saved = await holds.save(holdFor(way, opening.host.clock.now()));
  if (!saved.ok) return saved;
  const context = await contextNow(opening, memory);
  // Nothing is demanded of the pull path, nor by checks that only `fleet.yaml` knows: going back works offline.
  const failedUnits = await context.effects('rollback').health.unwellUnits();
  const baseline = { checks: [], good: [], failedUnits, reached: false };
  const agentBefore =
    to.agent === undefined ? ok(null) : await context.effects('rollback').agentFiles.current();
  if (!agentBefore.ok) return agentBefore;
  const phase: Phase = {
    ...{ at: 'switch', from: from.generation, to: to.number, revision: to.revision },
    ...{ mode: mode.value, timeout, attempt: 0, left: from.revision, baseline },
    ...(agentBefore.value === null ? {} : { agentBefore: agentBefore.value }),
  };
  const begun = await memory.write({ phase, unproved: null });
  if (!begun.ok) {
    // Nothing has begun, so nothing may say that it has; but a hold that could not be read held the host, and goes on to.
    if (earlier.ok) await (earlier.value === null ? holds.remove() : holds.save(earlier.value));
    return begun;
  }
  const walked = await carryOn(context);
  if (!walked.ok) return walked;
  const { running, standing } = memory.journal;
  if (running?.generation === to.number) return ok({ did: 'back', way, mode: mode.value });
  return fail(notBack(way, standing?.code ?? 1, standing?.cause ?? 'nobody noted why'));
}

function holdFor({ from, to }: Way, now: number): Hold {
  const reason = `rolled back by hand from generation ${from.generation} to ${to.number}`;
  return { reason, since: now, by: 'rollback' };
}

/** Whether a phase may have changed what runs. A build or a record that was cut off is just tidied up. */
function isHalfDone(phase: Phase): boolean {
  return phase.at === 'switch' || phase.at === 'confirm' || phase.at === 'rollback' || isOwn(phase);
}

/** Whether it is a person's going back, or the record of one. */
function isOwn(phase: Phase): boolean {
  if (phase.at !== 'record') return 'left' in phase;
  const { event, code } = phase.draft.status.outcome;
  return event === 'rolled-back' && code === exitCode('held');
}

/** To go back once more, after what a killed call of this very command had begun, would be one too many. */
function finished({ running, standing }: Journal, phase: Phase): Result<WentBack> {
  if (isOwn(phase) && standing?.event === 'held') return ok({ did: 'finished', running });
  const runs = running === null ? 'nothing' : `generation ${running.generation}`;
  return fail({
    kind: 'unexpected',
    cause: `a switch had been cut off on this machine; that was finished or undone first, and ${runs} runs now`,
    where: 'var/lib/autark/journal.json',
    remedy:
      'to go back from that, run `autark rollback` again; to stay there, run `autark hold --reason TEXT`',
  });
}

const declined: Failure = {
  kind: 'unexpected',
  cause: 'nothing was changed, for going back was not confirmed',
  remedy: 'run it again and answer y, or give --yes',
};

function busy(failure: Failure): Failure {
  if (failure.kind !== 'locked') return failure;
  return {
    ...failure,
    remedy:
      'a build ends when the agent is stopped (systemctl stop autark, or SIGTERM), and an activation is waited for; ' +
      'then run this again',
  };
}

function nowhere(running: Running | null): Failure {
  const runs = running === null ? 'nothing was deployed' : `generation ${running.generation} runs`;
  return {
    kind: 'unexpected',
    cause: `there is no generation to go back to: ${runs}, and nothing is known to have run before`,
    where: 'var/lib/autark/generations',
    remedy: 'to keep the agent from changing anything, run `autark hold --reason TEXT`',
  };
}

function gone(number: number): Failure {
  return {
    kind: 'unexpected',
    cause: `there is no way back: generation ${number} is gone from the disk, or damaged`,
    where: `var/lib/autark/generations/${number}`,
    remedy: 'to keep the agent from changing anything, run `autark hold --reason TEXT`',
  };
}

function changed({ from }: Way): Failure {
  return {
    kind: 'unexpected',
    cause: `nothing was changed, for meanwhile generation ${from.generation} was activated`,
    where: 'var/lib/autark/journal.json',
    remedy: 'to go back from that, run `autark rollback` again',
  };
}

const kinds: readonly FailureKind[] = ['switch-failed', 'switch-stuck', 'no-space'];

function notBack({ from, to }: Way, code: number, cause: string): Failure {
  const kind = kinds.find((each) => exitCode(each) === code) ?? 'unexpected';
  const runs =
    kind === 'switch-stuck' ? 'what runs may be half of each' : `generation ${from.generation} runs`;
  return {
    kind,
    cause: `${cause}; ${runs}, and the host is held`,
    where: `generation ${to.number}`,
    remedy: 'look at the machine; once it shall follow its branch again, run `autark resume`',
  };
}
