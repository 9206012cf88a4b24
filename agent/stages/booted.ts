import { bootDeadlineOf, startUp } from '../../shared/cycle/confirm.ts';
import { ranBefore, runningFrom } from '../../shared/cycle/guard.ts';
import type { Journal } from '../../shared/cycle/journal.ts';
import type { Phase } from '../../shared/cycle/phase.ts';
import { mayReport } from '../../shared/cycle/reports.ts';
import { ok, type Failure, type Result } from '../../shared/failure.ts';
import { refuse, type Baseline, type Refusal } from '../../shared/health/baseline.ts';
import { timestamp } from '../../shared/record/draft.ts';
import type { Context } from '../context.ts';
import { examine } from './health.ts';
import { draftOf, settle } from './record.ts';
import { generationOf } from './switch.ts';
import { endWatch, suspendWatch } from './watched.ts';
import { wayBackOf } from './way-back.ts';

type Confirming = Extract<Phase, { at: 'confirm' }>;

/** Milliseconds in which a machine that has just started has to reach its server, where the phase does not say. */
const usual = 15 * 60_000;

/**
 * A generation that runs from the next boot on is recorded as deployed, and stays on trial: the journal keeps what ran
 * before, and the watchdog what to go back to, until the machine has booted into it.
 */
export async function leaveForReboot(context: Context, phase: Confirming): Promise<Result<void>> {
  const watched = await watchFromBoot(context, phase);
  if (!watched.ok) return watched;
  if (watched.value) return ok(undefined);
  const { memory, senses } = context;
  const { from, to, revision, waitsIn = '' } = phase;
  const { running: ran, previous, earlier, rebootRequired } = memory.journal;
  const generation = await generationOf(context, 'confirm', to);
  const since = timestamp(senses.clock.now());
  const running = generation === undefined ? ran : { ...runningFrom(generation, since), revision, waitsIn };
  const before = { running: ran, previous, earlier, rebootRequired };
  const unproved = { phase: { ...phase, isRecorded: true as const }, ...before };
  const change = {
    running,
    ...ranBefore(memory.journal, from),
    rebootRequired: waitsIn,
    unproved,
    drift: null,
  };
  return settle(context, { revision, isTrial: false }, { event: 'deployed', running }, change);
}

/** True when the watchdog was sooner. The watch of this boot gives way to the next one's without a gap between them. */
async function watchFromBoot(context: Context, phase: Confirming): Promise<Result<boolean>> {
  const back = await wayBackOf(context, 'confirm', phase);
  if (back === null) return endWatch(context, phase);
  const fired = await suspendWatch(context, phase);
  if (!fired.ok || fired.value) return fired;
  const { to: generation, mode, timeout = usual, baseline } = phase;
  const deadline = bootDeadlineOf(timeout, context.memory.journal.pace.fetch, baseline?.checks);
  const watch = { generation, back, mode, timeout, deadline, beginsAtBoot: true } as const;
  const armed = await context.effects('confirm').watchdog.arm(watch);
  return armed.ok ? ok(false) : armed;
}

/**
 * Why a generation that the machine has booted into is not good, if so. Everything has just started, the network too, so
 * more patience is asked for than after a switch; and a machine that may be silent may also be away from its server.
 */
export async function proveBooted(
  context: Context,
  phase: Confirming,
  baseline: Baseline,
): Promise<Result<Refusal | typeof leftToPerson | undefined>> {
  const { signal, memory } = context;
  if (await isLeftToPerson(context, phase)) return ok(leftToPerson);
  const other = await bootedOther(context, phase);
  if (other !== undefined) return ok({ failure: other, isCutOff: false });
  await context.effects('confirm').health.started({ timeout: startUp, signal });
  const reached = baseline.reached && memory.journal.pace.heartbeat !== null;
  const asked = { ...baseline, reached };
  const found = await examine(context, asked, phase.revision, phase.timeout ?? usual);
  return found.ok ? ok(refuse(phase.to, asked, found.value)) : found;
}

/** What a boot default may turn out to be: somebody has made another system the boot default before the reboot. */
export const leftToPerson = 'left to a person';

/** Then nothing is proved of the generation, and nothing is gone back from: it is a drift like any other. */
async function isLeftToPerson(context: Context, { to }: Confirming): Promise<boolean> {
  const generation = await generationOf(context, 'confirm', to);
  if (generation?.kind !== 'nixos') return false;
  const { leads } = await context.effects('confirm').links.look(to);
  return leads.profile !== null && leads.profile !== generation.path;
}

/** A boot loader may have chosen by itself, or a person at its menu. Of kind exec nobody can say what was booted. */
async function bootedOther(context: Context, { to }: Confirming): Promise<Failure | undefined> {
  const generation = await generationOf(context, 'confirm', to);
  if (generation?.kind !== 'nixos') return undefined;
  const { leads } = await context.effects('confirm').links.look(to);
  const runs = leads['current-system'];
  if (runs === generation.path) return undefined;
  return {
    kind: 'switch-failed',
    cause: `generation ${to} is the boot default, and the machine booted ${runs ?? 'something else'} instead`,
    where: `generation ${to}`,
    remedy: 'look at the boot loader and at `journalctl --list-boots`; mend the configuration and push',
  };
}

/** What was recorded as deployed has booted and is well. What stands at the head is another matter. */
export async function recordReboot(
  context: Context,
  change: Partial<Journal> & Pick<Journal, 'running'>,
): Promise<Result<void>> {
  const { memory } = context;
  const { journal } = memory;
  if (!mayReport(journal)) return memory.write({ ...change, phase: { at: 'idle' } });
  const happening = { event: 'rebooted', running: change.running } as const;
  const draft = await draftOf(context, happening, { ...journal, ...change });
  return draft.ok ? memory.write({ ...change, phase: { at: 'record', draft: draft.value } }) : draft;
}
