import { carriedBy } from '../../shared/cycle/carried.ts';
import { backIn, ranBefore, runningFrom } from '../../shared/cycle/guard.ts';
import { asksAfterReboot, hasBootedInto, rebootAskedFor } from '../../shared/cycle/reboot.ts';
import type { Running } from '../../shared/cycle/journal.ts';
import type { Phase } from '../../shared/cycle/phase.ts';
import type { AgentEvent } from '../../shared/event.ts';
import { fail, ok, type Result } from '../../shared/failure.ts';
import { excused, refuse, type Refusal } from '../../shared/health/baseline.ts';
import { nameOf, type Check } from '../../shared/health/check.ts';
import { timestamp } from '../../shared/record/draft.ts';
import type { Context } from '../context.ts';
import { handedOver, neverConfirmed, whoConfirms } from './agent-file.ts';
import { leaveForReboot, leftToPerson, proveBooted, recordReboot } from './booted.ts';
import { settleBack } from './by-hand.ts';
import { examine } from './health.ts';
import { settle } from './record.ts';
import { flawed, secretsFlaw } from './secrets.ts';
import { bootOf, generationOf } from './switch.ts';
import { endWatch } from './watched.ts';

/**
 * A generation that proves to be as well as what ran before becomes the last good one, unless it is only being tested;
 * any other is gone back from. A phase without a baseline, as older agents wrote them, has the exit code as its proof.
 */
export async function confirm(
  context: Context,
  phase: Extract<Phase, { at: 'confirm' }>,
): Promise<Result<void>> {
  const boot = await bootOf(context);
  if (asksAfterReboot(phase, boot)) return leaveForReboot(context, phase);
  const who = await whoConfirms(context, phase, boot);
  if (!who.ok) return who;
  if (who.value === 'another') return handOver(context, phase);
  if (who.value === 'nobody')
    return turnBack(context, phase, { failure: neverConfirmed(phase.to), isCutOff: false });
  const proved = await prove(context, phase, boot);
  if (!proved.ok) return proved;
  const isLeft = proved.value === leftToPerson;
  if (proved.value !== undefined && !isLeft) return turnBack(context, phase, proved.value);
  const fired = await endWatch(context, phase);
  if (!fired.ok) return fired;
  if (fired.value) return ok(undefined);
  const { machine } = context.effects('confirm');
  const { memory, senses } = context;
  const generation = await generationOf(context, 'confirm', phase.to);
  const { from, to, left, revision, mode, exit } = phase;
  const since = timestamp(senses.clock.now());
  const isBooted = hasBootedInto(phase, boot);
  const waits = mode === 'boot' && !isBooted ? { waitsIn: boot } : {};
  const running =
    generation === undefined
      ? memory.journal.running
      : { ...runningFrom(generation, since), revision, ...waits };
  const asks = generation === undefined ? null : await machine.needsReboot(generation);
  const rebootRequired = rebootAskedFor(memory.journal, { boot, mode, exit, isBooted, asks });
  if (mode === 'test') {
    const tested = running === null ? null : { ...running, testedIn: boot };
    const aim = { revision, isTrial: true };
    const change = { running: tested, rebootRequired, failedTrial: null, drift: null };
    return settle(
      context,
      aim,
      { event: 'testing', running: tested, ...(await flawOf(context, tested)) },
      change,
    );
  }
  const { previous, earlier } = memory.journal;
  if (left !== undefined) {
    const change = { ...backIn({ previous, earlier }, to), lastGood: to, rebootRequired, drift: null };
    return settleBack(context, { from, left }, running, change);
  }
  const before = ranBefore(memory.journal, from);
  const good = isLeft ? {} : { lastGood: to, failed: null };
  const change = { running, ...before, ...good, rebootRequired, drift: null };
  if (phase.isRecorded === true) return recordReboot(context, change);
  const happening = { event: 'deployed', running, ...(await flawOf(context, running)) } as const;
  return settle(context, { revision, isTrial: false }, happening, change);
}

/** A generation is well without a secret that cannot be opened, and its record says so (S14). */
async function flawOf(context: Context, running: Running | null): Promise<ReturnType<typeof flawed>> {
  const failure = running === null ? undefined : await secretsFlaw(context, running);
  const { host } = context.memory.journal;
  if (failure !== undefined) context.senses.log({ kind: 'failure', host, stage: 'confirm', failure });
  return flawed(failure);
}

/** Noted first: an agent that never gets as far as to confirm is begun no more often for that. */
async function handOver(context: Context, phase: Confirming): Promise<Result<void>> {
  const noted = await context.memory.write({ phase: { ...phase, handed: (phase.handed ?? 0) + 1 } });
  return noted.ok ? fail(handedOver) : noted;
}

type Confirming = Extract<Phase, { at: 'confirm' }>;

/** Why the generation is not good, if so. One that runs only from the next boot on cannot be asked before. */
async function prove(
  context: Context,
  phase: Confirming,
  boot: string,
): Promise<Result<Refusal | typeof leftToPerson | undefined>> {
  const { to, mode, baseline, revision } = phase;
  if (baseline === undefined) return ok(undefined);
  const isBooted = hasBootedInto(phase, boot);
  if (mode === 'boot' && !isBooted) return ok(undefined);
  for (const check of excused(baseline)) context.senses.log(excuse(context, check));
  if (isBooted) return proveBooted(context, phase, baseline);
  const found = await examine(context, baseline, revision);
  return found.ok ? ok(refuse(to, baseline, found.value)) : found;
}

function excuse({ memory }: Context, check: Check): AgentEvent {
  const message = `the health check ${nameOf(check)} failed before the switch, so it is not held against the new generation; mend it or remove it`;
  return { kind: 'warning', host: memory.journal.host, message };
}

function turnBack(
  context: Context,
  phase: Confirming,
  { failure, isCutOff }: Refusal,
): Promise<Result<void>> {
  const { from, revision, mode, timeout = usual } = phase;
  return context.memory.write({
    phase: {
      ...{ at: 'rollback', from, attempted: revision, failure, isCutOff, attempt: 0, mode, timeout },
      ...carriedBy(phase),
    },
  });
}

/** Milliseconds that going back may take where the phase does not say. */
const usual = 15 * 60_000;
