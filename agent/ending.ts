import { foundAt, slotOf, type Aim } from '../shared/cycle/aim.ts';
import { generationsToKeep } from '../shared/cycle/keep.ts';
import type { Plan } from '../shared/cycle/plan.ts';
import { saysTheSame, standingOf } from '../shared/cycle/standing.ts';
import {
  exitCode,
  fail,
  isOfTheWorld,
  ok,
  type Failure,
  type Result,
  type Stage,
} from '../shared/failure.ts';
import type { StateEvent } from '../shared/record/status.ts';
import { carryOn } from './carry-on.ts';
import type { Context } from './context.ts';
import { handedOver } from './stages/agent-file.ts';
import { noSpace } from './stages/no-space.ts';
import { deliverRecords, hasRecords } from './stages/deliver.ts';
import { offerSuccessor, owesOffer } from './stages/enrolment.ts';
import { divergence, look } from './stages/own-state.ts';
import { forgetSecrets, tidySecrets } from './stages/secrets.ts';
import { draftOf, settle } from './stages/record.ts';

/** How a cycle ended. */
export interface Ended {
  /** The exit code of `agent --once`. */
  readonly code: number;
  /**
   * What the daemon does next: wait for the next poll, try again soon, go on at once, end for the agent that is current
   * now, or stop for good.
   */
  readonly next: 'wait' | 'retry' | 'again' | 'hand over' | 'stop';
}

/** The failure of a revision that a full disk undid before, while the disk is still full: not tried, not recorded. */
export async function stillFull(context: Context, aim: Aim): Promise<Failure | undefined> {
  const standing = context.memory.journal[slotOf(aim)];
  if (standing?.head !== aim.revision || standing.code !== exitCode('no-space')) return undefined;
  const isFull = await context.effects('build').machine.isFull();
  return isFull ? noSpace('the revision is not tried again yet') : undefined;
}

/**
 * A cycle without news. It leaves the disk alone, unless records wait for the server or the host has been silent
 * for so long that it says `alive`.
 */
export async function rest(context: Context): Promise<Ended> {
  const { host, standing } = context.memory.journal;
  if (standing !== null) context.senses.log({ kind: 'idle', host, revision: standing.head });
  const isSilent = hasBeenSilent(context);
  if (!isSilent && !hasRecords(context) && !owesOffer(context)) return finish(context);
  const held = await context.memory.hold(context.signal);
  const said = held.ok && isSilent ? await sayAlive(context) : held;
  return said.ok ? finish(context) : failed(context, 'record', said.failure);
}

/** Also true when the newest record lies in the future: a clock that was set back must not silence a host. */
function hasBeenSilent({ memory, senses }: Context): boolean {
  const { standing, recordedAt, pace, approved } = memory.journal;
  if (!approved || standing?.event === 'retired' || pace.heartbeat === null) return false;
  return Math.abs(senses.clock.now() - recordedAt) >= pace.heartbeat;
}

async function sayAlive(context: Context): Promise<Result<void>> {
  const { memory } = context;
  const draft = await draftOf(context, { event: 'alive', running: memory.journal.running }, memory.journal);
  const noted = draft.ok ? await memory.write({ phase: { at: 'record', draft: draft.value } }) : draft;
  return noted.ok ? carryOn(context) : noted;
}

/**
 * Ends a cycle that found a failure or a hold at a revision. Faults of the world are neither recorded nor
 * remembered: the next cycle tries again. Everything else stands until something it rests on changes.
 */
export async function conclude(
  context: Context,
  stage: Stage,
  failure: Failure,
  aim: Aim,
  plan?: Refusing,
): Promise<Ended> {
  if (context.signal.aborted) return stopped(context, false);
  const cleaned = await carryOn(context);
  if (!cleaned.ok) return failed(context, stage, cleaned.failure);
  if (stage === 'build') await context.effects(stage).trees.remove();
  if (isOfTheWorld(failure.kind)) return failed(context, stage, failure);
  const { host } = context.memory.journal;
  if (plan?.do === 'retire') {
    const forgotten = await forgetSecrets(context);
    if (!forgotten.ok) return failed(context, stage, forgotten.failure);
  }
  context.senses.log({ kind: 'failure', host, stage, failure, revision: aim.revision });
  const { until, isByHand = false } = plan?.do === 'hold' ? plan : {};
  const noted = await note(context, { stage, failure, event: eventOf(failure, plan), until, isByHand }, aim);
  return noted.ok ? finish(context) : failed(context, 'record', noted.failure);
}

/** The plans that leave the system as it is. */
type Refusing = Extract<Plan, { readonly failure: Failure }>;

function eventOf(failure: Failure, plan: Refusing | undefined): StateEvent {
  if (plan?.do === 'retire') return 'retired';
  if (plan?.do === 'hold') return plan.event;
  const isHeld = failure.kind === 'not-authentic' || failure.kind === 'held' || failure.kind === 'ended';
  return isHeld ? 'held' : 'failed';
}

interface Finding {
  readonly stage: Stage;
  readonly failure: Failure;
  readonly event: StateEvent;
  /** Milliseconds since the epoch at which it ends by itself. */
  readonly until: number | undefined;
  readonly isByHand: boolean;
}

/** Only a pinned machine has a state branch to write; any other just remembers what it found. */
async function note(
  context: Context,
  { stage, failure, event, until, isByHand }: Finding,
  aim: Aim,
): Promise<Result<void>> {
  const { memory, under } = context;
  const { approved, running } = memory.journal;
  const standing = standingOf({ event, failure }, { head: aim.revision, under, until });
  if (!approved || saysTheSame(memory.journal[slotOf(aim)], standing))
    return memory.write(foundAt(aim, standing));
  const change = isByHand ? { heldByHand: true } : {};
  const settled = await settle(context, aim, { event, failure, stage, running }, change, until);
  return settled.ok ? carryOn(context) : settled;
}

/** Ends a cycle that left what stands as it was. */
export function failed(context: Context, stage: Stage, failure: Failure): Ended {
  if (context.signal.aborted) return { code: 0, next: 'stop' };
  if (failure === handedOver) return { code: 0, next: 'hand over' };
  context.senses.log({ kind: 'failure', host: context.memory.journal.host, stage, failure });
  return { code: exitCode(failure.kind), next: isOfTheWorld(failure.kind) ? 'retry' : 'wait' };
}

/** Ends a cycle that was cut short in its build, by a newer revision or by SIGTERM. */
export async function stopped(context: Context, isSuperseded: boolean): Promise<Ended> {
  const cleaned = await carryOn(context);
  if (!cleaned.ok) return failed(context, 'build', cleaned.failure);
  return { code: 0, next: isSuperseded ? 'again' : 'stop' };
}

/**
 * Delivers what was recorded and ends with the code of what stands.
 * @param keep generations besides current, previous and last good, when this cycle may have made one
 */
export async function finish(context: Context, keep?: number): Promise<Ended> {
  const { memory } = context;
  if (keep !== undefined) await tidy(context, keep);
  const delivered = context.signal.aborted ? ok(undefined) : await bringAllToServer(context);
  const { standing, trial } = memory.journal;
  const code = [standing, trial].find((each) => each !== null && each.code !== 0)?.code ?? 0;
  if (!delivered.ok) {
    const late = failed(context, 'record', delivered.failure);
    return { code: code === 0 ? late.code : code, next: late.next };
  }
  if (standing?.code === exitCode('ended')) return { code, next: 'stop' };
  const isForAMoment = standing?.until === 0 || trial?.until === 0;
  return { code, next: isForAMoment ? 'retry' : 'wait' };
}

/** Records first: they are what others wait for. */
async function bringAllToServer(context: Context): Promise<Result<void>> {
  const delivered = await bringToServer(context);
  return delivered.ok ? offerSuccessor(context) : delivered;
}

/** What the server shows may have to be gone on from first (S9); and a branch that two lives write stays as it is. */
export async function bringToServer(context: Context): Promise<Result<void>> {
  const diverged = divergence(context);
  if (diverged !== undefined) return fail(diverged);
  if (!hasRecords(context)) return ok(undefined);
  const looked = await look(context);
  const ready = looked.ok ? await carryOn(context) : looked;
  return ready.ok ? deliverRecords(context) : ready;
}

/**
 * Removes old generations, once nothing waits for it, and agents that none of them came with.
 * @param keep generations besides current, previous and last good
 */
export async function tidy(context: Context, keep: number): Promise<void> {
  const { systems } = context.effects('record');
  const { running, previous, lastGood } = context.memory.journal;
  const all = (await systems.generations()).map(({ number }) => number);
  const current = running?.generation ?? null;
  // What runs is damaged or gone: nobody knows then what may be removed (P4).
  if (current !== null && !all.includes(current)) return;
  await systems.prune(generationsToKeep(all, { current, previous, lastGood, keep }));
  await tidyAgents(context);
  await tidySecrets(context, await systems.generations());
}

/** The agents of the generations that are left stay, and the one that an unproved generation would go back to. */
async function tidyAgents(context: Context): Promise<void> {
  const { systems, agentFiles } = context.effects('record');
  const named = (await systems.generations()).map(({ agent }) => agent);
  const back = context.memory.journal.unproved?.phase.agentBefore;
  await agentFiles.prune([...named, back].filter((each) => each !== undefined));
}
