import { nextAim, type Aim, type Heads } from '../shared/cycle/aim.ts';
import { clockProblem } from '../shared/cycle/clock.ts';
import type { Phase } from '../shared/cycle/phase.ts';
import { ok, type Result, type Stage } from '../shared/failure.ts';
import { beginSwitch, leaveAlone } from './begin.ts';
import { heldAtLast, heldMeanwhile, sayResumed } from './by-hand.ts';
import { carryOn } from './carry-on.ts';
import type { Context } from './context.ts';
import { decide } from './decide.ts';
import { keepDisks, noticeDisks } from './disks.ts';
import { noticeDrift } from './drift.ts';
import { conclude, failed, finish, rest, stillFull, stopped, tidy, type Ended } from './ending.ts';
import { unlessNewer, type Wakes } from './newer.ts';
import { build } from './stages/build.ts';
import { guardRevision, guardSystem } from './stages/guard.ts';
import { olderTip } from './stages/own-branch.ts';
import { glance } from './stages/own-state.ts';
import { poll } from './stages/poll.ts';
import { verify, type Verified } from './stages/verify.ts';
import { noticeReboot } from './rebooted.ts';
import { noticeSecrets } from './secrets.ts';
import { askSteps, takeSteps } from './steps/steps.ts';
import { succeed } from './succeed.ts';
import { endTrial, overtake, verifyTrial } from './trial.ts';

/**
 * One cycle:
 *
 *     poll ─▶ verify ─▶ plan ─▶ build ─▶ guard ─▶ switch ─▶ confirm ─▶ record
 *                                                    └──▶ rollback ──────┘
 *
 * From `switch` on the journal drives (`carryOn`), and what a crash left is finished the same way first. A revision
 * on `testing/<host>` walks the line too, once the head is settled.
 * @param wakes triggers that may bring a newer revision during a build; absent with `--once`
 */
export async function cycle(context: Context, wakes?: Wakes): Promise<Ended> {
  const { memory } = context;
  const recovered = await recover(context);
  if (!recovered.ok) return failed(context, stageOf(memory.journal.phase), recovered.failure);

  const resumed = await sayResumed(context);
  if (!resumed.ok) return failed(context, 'record', resumed.failure);
  const rebooted = await noticeReboot(context);
  const drifted = rebooted.ok ? await noticeDrift(context) : rebooted;
  const noticed = drifted.ok ? await noticeSecrets(context) : drifted;
  if (!noticed.ok) return failed(context, 'record', noticed.failure);
  const kept = await noticeDisks(context);
  if (!kept.ok) return failed(context, 'record', kept.failure);

  const heads = await context.stopwatch.time('poll', () => poll(context));
  if (!heads.ok) return failed(context, 'poll', heads.failure);
  const ready = await endTrial(context, heads.value);
  if (!ready.ok) return failed(context, 'poll', ready.failure);

  if (wakes === undefined) askSteps(context);
  let ended: Ended | undefined;
  for (;;) {
    const aim = aimAt(context, heads.value);
    if (aim === undefined) return ended ?? rest(context);
    ended = await pursue(context, aim, wakes);
    if (ended.next !== 'wait' || aim.isTrial) return ended;
  }
}

function aimAt({ memory, under, senses }: Context, heads: Heads): Aim | undefined {
  return nextAim(memory.journal, { heads, under, now: senses.clock.now() });
}

/** Brings one revision as far as it goes. */
async function pursue(context: Context, aim: Aim, wakes: Wakes | undefined): Promise<Ended> {
  const { memory, senses, signal, stopwatch } = context;
  const { revision } = aim;
  const { host } = memory.journal;
  const held = await memory.hold(signal);
  if (!held.ok) return failed(context, 'poll', held.failure);
  const full = await stillFull(context, aim);
  if (full !== undefined) return failed(context, 'build', full);
  senses.log({ kind: 'new-head', host, revision });

  const looked = await stopwatch.time('verify', () => lookAround(context));
  if (!looked.ok) return failed(context, 'record', looked.failure);
  const verified = await stopwatch.time('verify', () =>
    aim.isTrial ? verifyTrial(context, revision) : verify(context, revision),
  );
  if (!verified.ok) return conclude(context, 'verify', verified.failure, aim);
  if (verified.value === 'overtaken') return overtake(context, revision);

  for (const message of oddities(verified.value, senses.clock.now())) {
    senses.log({ kind: 'warning', host, message });
  }

  const planned = await decide(context, verified.value, aim);
  if (!planned.ok) return failed(context, 'plan', planned.failure);
  const plan = planned.value;
  if (plan.do === 'succeed') {
    const ended = await succeed(context, plan.successor, aim);
    return ended === 'taken' ? pursue(context, aim, wakes) : ended;
  }
  const ready = await foresee(context);
  if (!ready.ok) return failed(context, 'record', ready.failure);
  if (plan.do !== 'end') await keepDisks(context);
  if (plan.do !== 'deploy') return conclude(context, 'plan', plan.failure, aim, plan);

  const { value } = verified;
  const refused = guardRevision(context, aim);
  if (refused !== undefined) return conclude(context, 'guard', refused, aim);
  const waits = await stopwatch.time('step', () => takeSteps(context, value, plan.host, aim));
  if (waits !== undefined) return waits;

  senses.log({ kind: 'stage', host, stage: 'build', revision });
  const built = await stopwatch.time('build', () =>
    unlessNewer(context, wakes, aim, (inner) => build(inner, value, plan.host, plan.source, aim)),
  );
  if (built === 'superseded' || signal.aborted) return stopped(context, built === 'superseded');
  if (!built.ok) return conclude(context, 'build', built.failure, aim);

  const late = await heldMeanwhile(context, aim);
  if (late !== undefined) return late;
  const guarded = await guardSystem(context, built.value, plan.host, aim);
  if (!guarded.ok) return conclude(context, 'guard', guarded.failure, aim);
  const decided =
    guarded.value === 'unchanged'
      ? await leaveAlone(context, built.value, aim)
      : await beginSwitch(context, built.value, plan.host, aim, guarded.value);
  const last = decided.ok ? await heldAtLast(context, aim) : undefined;
  if (last !== undefined) return last;
  const done = decided.ok ? await carryOn(context) : decided;
  if (!done.ok) return failed(context, 'switch', done.failure);
  return finish(context, plan.host.keep);
}

/** Before anything is judged: what this host accepted in a life that it does not remember is a floor as well (S2). */
async function lookAround(context: Context): Promise<Result<void>> {
  const looked = await glance(context);
  return looked.ok ? carryOn(context) : looked;
}

/**
 * The first record of a machine names the newest one of the machine before. Where the server cannot say which, nothing
 * is begun that would have to be recorded.
 */
async function foresee(context: Context): Promise<Result<void>> {
  const { approved, seq } = context.memory.journal;
  const older = approved && seq === 0 ? await olderTip(context) : ok(null);
  return older.ok ? ok(undefined) : older;
}

/** Finishes or undoes whatever a kill or a power cut left, and says so. */
async function recover(context: Context): Promise<Result<void>> {
  const { phase, host } = context.memory.journal;
  if (phase.at === 'idle') return ok(undefined);
  const held = await context.memory.hold(context.signal);
  if (!held.ok) return held;
  // What looked half done may have been in the hands of a person's `rollback` until now.
  if (context.memory.journal.phase.at === 'idle') return ok(undefined);
  context.senses.log({ kind: 'recovered', host, from: phase.at });
  const carried = await carryOn(context);
  const { keep } = context.memory.journal.pace;
  // Whoever began the switch left that to the agent that came with the generation.
  if (carried.ok && phase.at === 'confirm' && keep !== undefined) await tidy(context, keep);
  return carried;
}

/** What is odd about a revision, or about this machine beside it, but stops nothing. */
function oddities({ fleet, commit }: Verified, now: number): readonly string[] {
  const clock = clockProblem(now, commit.committer.seconds);
  const warnings = fleet.warnings.map(
    ({ cause, file, line, column, remedy }) => `${cause} (${file}:${line}:${column}); ${remedy}`,
  );
  return clock === undefined ? warnings : [clock, ...warnings];
}

/** The stage that a phase belongs to, for what is said of it. */
function stageOf({ at }: Phase): Stage {
  return at === 'idle' ? 'record' : at;
}
