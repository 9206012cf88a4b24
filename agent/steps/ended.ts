import type { Phase } from '../../shared/cycle/phase.ts';
import { withReport } from '../../shared/cycle/reports.ts';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Ledger } from '../../shared/record/ledger.ts';
import { timestamp } from '../../shared/record/draft.ts';
import { withEnded, type RunResult } from '../../shared/record/ledger-runs.ts';
import type { StepRun } from '../../shared/record/step-run.ts';
import type { Context } from '../context.ts';
import { knownLedger } from '../stages/known-ledger.ts';
import { reasonOf } from '../stages/activation.ts';
import { describe, draftOf, settle } from '../stages/record.ts';
import type { StepEnded } from '../step-ports.ts';

export type Stepping = Extract<Phase, { at: 'step' }>;

/**
 * What became of a step whose program an earlier process began. One that ended meanwhile has its result recorded; of one that was
 * cut off nobody knows how far it came: its intent stays without a result, and it never runs again by itself (S18).
 */
export async function stepEnded(context: Context, phase: Stepping): Promise<Result<void>> {
  const { name, child, timeout, step } = phase;
  const { steps } = context.effects('step');
  const running = { name, ...(child === undefined ? {} : { child }) };
  const ended = await steps.outcome(running, { timeout, signal: context.signal });
  if (ended?.how === 'left') return fail(goesOn(step));
  if (ended !== null) return recordResult(context, phase, ended);
  // A ledger that cannot be read now refuses whatever follows: nothing else has to wait for it.
  const run = await newestRun(context, step);
  if (run.ok && run.value !== null && run.value.outcome !== 'started') {
    return recordRun(context, phase, run.value);
  }
  return interrupted(context, phase);
}

/** Keeps what a run left, sealed, and then the record of it in the journal; nothing of it stays in the clear. */
export async function recordResult(
  context: Context,
  phase: Stepping,
  ended: StepEnded,
): Promise<Result<void>> {
  const { ledgers } = context.effects('step');
  const known = await ownLedger(context);
  if (!known.ok || known.value === null) return interrupted(context, phase);
  const ledger = known.value;
  const next = withEnded(ledger, phase.step, resultOf(ended, phase, context.senses.clock.now()));
  const kept = next === ledger ? ok(undefined) : await ledgers.keep(next, [], ledger);
  if (!kept.ok) return kept;
  const run = next.runs?.findLast(({ step }) => step === phase.step);
  return run === undefined ? interrupted(context, phase) : recordRun(context, phase, run);
}

async function recordRun(context: Context, phase: Stepping, run: StepRun): Promise<Result<void>> {
  const { memory, effects } = context;
  const cleared = await effects('step').steps.clear();
  if (!cleared.ok) return cleared;
  const { running, host } = memory.journal;
  const { revision, step } = phase;
  if (run.outcome === 'failed') {
    const failure = stepFailed(host, step, run.how ?? 'nobody knows why');
    const aim = { revision, isTrial: false };
    return settle(context, aim, { event: 'step-failed', failure, stage: 'step', running, step });
  }
  const about = await describe(context, revision);
  const draft = await draftOf(
    context,
    { event: 'step-done', revision: about, running, step },
    memory.journal,
  );
  return draft.ok ? memory.write({ phase: { at: 'record', draft: draft.value } }) : draft;
}

/** The revision is judged anew: what is said of the step then goes into a record. */
async function interrupted(context: Context, { step }: Stepping): Promise<Result<void>> {
  const { memory, senses, effects } = context;
  const { host, reports } = memory.journal;
  const message = `the step ${step} was interrupted: nobody knows how far it came`;
  senses.log({ kind: 'warning', host, message });
  const cleared = await effects('step').steps.clear();
  if (!cleared.ok) return cleared;
  await effects('step').trees.remove();
  return memory.write({ phase: { at: 'idle' }, standing: null, reports: withReport(reports, message) });
}

/** As it is kept here: what has just run is in no older copy, and no record has to be read for it. */
async function ownLedger(context: Context): Promise<Result<Ledger | null>> {
  const { fleet, host } = context.memory.journal;
  const kept = await context.effects('step').ledgers.load({ fleet, host });
  return kept.ok && kept.value !== null ? kept : knownLedger(context);
}

async function newestRun(context: Context, step: string): Promise<Result<StepRun | null>> {
  const known = await ownLedger(context);
  if (!known.ok) return known;
  return ok(known.value?.runs?.findLast((run) => run.step === step) ?? null);
}

function resultOf(
  { ending, output, yields, unkept }: StepEnded,
  { timeout }: Stepping,
  now: number,
): RunResult {
  const isGood = ending.how === 'exited' && ending.code === 0;
  const said =
    ending.how === 'exited' ? `it exited with code ${ending.code}` : reasonOf(ending, timeout, 'its program');
  const named = [...yields].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')] as const);
  return {
    outcome: isGood && unkept === null ? 'done' : 'failed',
    ended: timestamp(now),
    how: unkept === null ? said : `${said}; ${unkept}`,
    ...(output === '' ? {} : { output }),
    ...(named.length === 0 ? {} : { yields: Object.fromEntries(named) }),
  };
}

function stepFailed(host: string, step: string, how: string): Failure {
  return {
    kind: 'step-failed',
    cause: `the step ${step} failed: ${how}`,
    where: `fleet.yaml, step ${step} of ${host}`,
    remedy:
      `look at the machine, and at what it wrote: \`autark ledger show ${host} --step ${step}\` in a clone of a reader; ` +
      `once it may run again, \`autark step approve ${host} ${step}\``,
  };
}

function goesOn(step: string): Failure {
  return {
    kind: 'unexpected',
    cause: `the step ${step} goes on without the agent, which was asked to stop`,
    remedy: 'start the agent again: it waits for the step, and records how it ended',
  };
}
