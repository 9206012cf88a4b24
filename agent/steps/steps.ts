import type { Aim } from '../../shared/cycle/aim.ts';
import { withReport } from '../../shared/cycle/reports.ts';
import { refusing } from '../../shared/disk/refusal.ts';
import { notLookedAt } from '../../shared/disk/device-rules.ts';
import { stepState, type StepState } from '../../shared/disk/step-state.ts';
import { exitCode, type Result } from '../../shared/failure.ts';
import type { Host, Step } from '../../shared/fleet/fleet.ts';
import { heldMeanwhile } from '../by-hand.ts';
import { carryOn } from '../carry-on.ts';
import type { Context } from '../context.ts';
import { bringToServer, failed, stopped, type Ended } from '../ending.ts';
import { hasNewer } from '../newer.ts';
import { look } from '../stages/own-state.ts';
import type { Verified } from '../stages/verify.ts';
import { keepExamined, lookClosely } from './devices.ts';
import { evidenceOf, type Judged, type Known } from './evidence.ts';
import { holdFor, refuse } from './refuse.ts';
import { runStep } from './run.ts';

/**
 * The steps of a host, in their order, before its revision is built: what is done is passed over, what is ready runs, and the
 * first one that may not run holds the revision. `undefined` when nothing stands in its way.
 */
export async function takeSteps(
  context: Context,
  verified: Verified,
  host: Host,
  aim: Aim,
): Promise<Ended | undefined> {
  if (host.steps.length === 0) return undefined;
  if (verified.fleet.tooNew) {
    say(context, 'fleet.yaml is for a newer autark: no step runs; the system is deployed');
    return undefined;
  }
  for (const step of host.steps) {
    const late = await heldMeanwhile(context, aim);
    if (late !== undefined) return late;
    const taken = await takeStep(context, { step, host, verified }, aim);
    if (taken !== 'done') return taken;
    const { standing } = context.memory.journal;
    // A run that failed was recorded as what stands.
    if (standing?.event === 'step-failed' && standing.head === aim.revision) return endFailed(context);
  }
  return undefined;
}

/**
 * A step that was refused is judged anew by whoever runs the agent by hand, perhaps with the credentials that it waited for; the
 * daemon does so every few minutes.
 */
export function askSteps({ memory }: Context): void {
  const { standing } = memory.journal;
  if (standing?.code !== exitCode('step-refused')) return;
  memory.remember({ standing: { ...standing, until: 0 } });
}

async function takeStep(context: Context, judged: Judged, aim: Aim): Promise<'done' | Ended> {
  const known = await evidenceOf(context, judged);
  if (!known.ok) return holdFor(context, aim, known.failure);
  const state = stepState(known.value.evidence);
  if (state.is === 'done') return passOver(context, judged.step, state);
  // Nothing runs now: what was made ready for a run that never began goes, for it may have credentials in it.
  const cleared = await context.effects('step').steps.clear();
  if (!cleared.ok) return failed(context, 'step', cleared.failure);
  if (aim.isTrial) return refuseTrial(context, judged, aim);
  if (known.value.flaw !== null) return holdFor(context, aim, known.value.flaw);
  if (state.is !== 'ready') return wait(context, judged, known.value, { state, aim });
  const settled = await settleServer(context);
  if (!settled.ok) return failed(context, 'step', settled.failure);
  // What the server showed may have been gone on from: nothing from before counts.
  const again = await evidenceOf(context, judged);
  if (!again.ok) return holdFor(context, aim, again.failure);
  if (again.value.flaw !== null) return holdFor(context, aim, again.value.flaw);
  const now = stepState(again.value.evidence);
  if (now.is === 'done') return passOver(context, judged.step, now);
  if (now.is !== 'ready') return wait(context, judged, again.value, { state: now, aim });
  // The step before may have taken hours.
  const newer = await hasNewer(context, aim);
  if (!newer.ok) return failed(context, 'step', newer.failure);
  if (newer.value) return giveWay(context);
  return runStep(context, { ...judged, known: again.value, approval: now.approval, aim });
}

/** The next cycle begins at once, with the newer revision. */
async function giveWay(context: Context): Promise<Ended> {
  await context.effects('step').trees.remove();
  return stopped(context, true);
}

/** Nothing runs before the server was asked what it has of this host, and has all its records. */
async function settleServer(context: Context): Promise<Result<void>> {
  delete context.sight.tip;
  const looked = await look(context);
  const carried = looked.ok ? await carryOn(context) : looked;
  return carried.ok ? bringToServer(context) : carried;
}

function passOver(context: Context, { name }: Step, { note }: Extract<StepState, { is: 'done' }>): 'done' {
  if (note !== undefined) say(context, `the step ${name} is done: ${note}`);
  return 'done';
}

function say({ memory, senses }: Context, message: string): void {
  const { host, reports } = memory.journal;
  senses.log({ kind: 'warning', host, message });
  memory.remember({ reports: withReport(reports, message) });
}

interface Waiting {
  readonly state: Exclude<StepState, { is: 'done' | 'ready' }>;
  readonly aim: Aim;
}

/** What it would destroy is looked at, and kept where a person sees it who has to approve. */
async function wait(
  context: Context,
  { step, host }: Judged,
  { problem }: Known,
  { state, aim }: Waiting,
): Promise<Ended> {
  const looked = await lookClosely(context, step.destroys);
  const isNews = step.destroys.length > 0 && (await keepExamined(context, looked));
  const unread = problem === null ? [] : [unreadable(step, host, problem)];
  const unseen = looked.observations.flatMap((each) => ('failed' in each ? [notLookedAt(each)] : []));
  const reasons = [...unread, ...('reasons' in state ? state.reasons : []), ...unseen];
  return refuse(context, aim, { step: step.name, host: host.name, reasons, isNews });
}

function unreadable({ name }: Step, host: Host, problem: string) {
  const say = refusing('S16', `fleet.yaml, step ${name} of ${host.name}`);
  return say(`its approval counts for nothing: ${problem}`, 'let `autark step approve` write it anew');
}

function refuseTrial(context: Context, { step, host }: Judged, aim: Aim): Promise<Ended> {
  const say = refusing('S15', `fleet.yaml, step ${step.name} of ${host.name}`);
  const reason = say(
    'it is not done yet, and no step runs for a revision that is only tried',
    'bring it to the configuration branch',
  );
  return refuse(context, aim, { step: step.name, host: host.name, reasons: [reason], isNews: false });
}

async function endFailed(context: Context): Promise<Ended> {
  await context.effects('step').trees.remove();
  const delivered = await bringToServer(context);
  const { standing } = context.memory.journal;
  const code = standing?.code ?? 1;
  return delivered.ok
    ? { code, next: 'wait' }
    : { code, next: failed(context, 'record', delivered.failure).next };
}
