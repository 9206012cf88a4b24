import { carriedBy } from '../../shared/cycle/carried.ts';
import { backFailure, deadlineOf, judge, switchFailure } from '../../shared/cycle/confirm.ts';
import type { Generation } from '../../shared/cycle/journal.ts';
import { attempts } from '../../shared/cycle/phase.ts';
import { fail, ok, type Result, type Stage } from '../../shared/failure.ts';
import {
  activate,
  leftAlone,
  outcomeOf,
  type Activated,
  type GoingBack,
  type Switching,
  type Target,
} from './activation.ts';
import { noSpace } from './no-space.ts';
import type { Context } from '../context.ts';
import { placeSecrets, tellOfSecrets } from './secrets.ts';
import { wayBackOf } from './way-back.ts';

/**
 * Makes the planned generation current and activates it. What an earlier agent began is waited for, where it goes on
 * without one; what was cut off is begun again: an activation is idempotent, and bounded in its attempts.
 */
export async function switchTo(context: Context, phase: Switching): Promise<Result<void>> {
  const before = await outcomeOf(context, 'switch', phase);
  if (before === 'left') return fail(leftAlone);
  if (before !== null) return proceed(context, phase, before);
  if (phase.attempt >= attempts.switch) {
    return goBack(context, phase, `it was interrupted ${phase.attempt} times`, '');
  }
  const generation = await generationOf(context, 'switch', phase.to);
  if (generation === undefined) return goBack(context, phase, 'its record is gone from the disk', '');
  const watched = await watchOver(context, phase);
  if (!watched.ok) return watched;
  const current = await makeCurrent(context, 'switch', generation, phase);
  if (!current.ok) return current;
  if (current.value !== undefined) return goBack(context, phase, current.value, '');
  const placed = phase.mode === 'boot' ? ok(undefined) : await placeSecrets(context, 'switch', generation);
  // To try that for ever would keep every other revision out too.
  if (!placed.ok) return goBack(context, phase, placed.failure.cause, '');
  const activated = await activate(context, 'switch', generation, phase.revision, phase);
  return activated === 'left' ? fail(leftAlone) : proceed(context, phase, activated);
}

/** The watchdog has until the new generation must be confirmed; without anything to go back to, there is no watch. */
async function watchOver(context: Context, phase: Switching): Promise<Result<void>> {
  const back = await wayBackOf(context, 'switch', phase);
  if (back === null) return ok(undefined);
  const { fetch } = context.memory.journal.pace;
  return context.effects('switch').watchdog.arm({
    ...{ generation: phase.to, back, mode: phase.mode, timeout: phase.timeout },
    deadline: deadlineOf(phase.timeout, fetch, phase.baseline?.checks),
  });
}

async function proceed(
  context: Context,
  phase: Switching,
  { activation, tail }: Activated,
): Promise<Result<void>> {
  const verdict = judge(activation, seesUnits(phase));
  if (!verdict.good) return goBack(context, phase, verdict.cause, tail);
  const told = await tellUnits(context, phase);
  if (!told.ok) return goBack(context, phase, told.failure.cause, '');
  const { from, to, revision, mode, timeout, baseline } = phase;
  const waits = mode === 'boot' ? { waitsIn: await waitsIn(context, to) } : {};
  const exit = activation.how === 'exited' ? activation.code : 0;
  return context.memory.write({
    phase: {
      ...{ at: 'confirm', from, to, revision, mode, exit, ...waits },
      ...carriedBy(phase),
      ...(baseline === undefined ? {} : { timeout }),
    },
  });
}

/** What runs only from the next boot on has changed nothing yet that a unit would have to be told. */
async function tellUnits(context: Context, { mode, to }: Switching): Promise<Result<void>> {
  const generation = mode === 'boot' ? undefined : await generationOf(context, 'switch', to);
  return generation === undefined ? ok(undefined) : tellOfSecrets(context, 'switch', generation);
}

/** A generation as the disk has it; `undefined` when its record is gone, or damaged. */
export async function generationOf(
  context: Context,
  stage: Stage,
  wanted: number | null,
): Promise<Generation | undefined> {
  return (await context.effects(stage).systems.generations()).find(({ number }) => number === wanted);
}

/**
 * The boot in which a boot default does not run yet. Of NixOS it is known when it does: a power cut that came after the boot
 * loader was written has the machine boot into it. It is asked at once then.
 */
async function waitsIn(context: Context, to: number): Promise<string> {
  const generation = await generationOf(context, 'switch', to);
  if (generation?.kind !== 'nixos') return bootOf(context);
  const { leads } = await context.effects('switch').links.look(to);
  return leads['current-system'] === generation.path ? 'an earlier boot' : bootOf(context);
}

/** The id of the boot that the machine is in. */
export async function bootOf({ effects, memory }: Context): Promise<string> {
  return (await effects('confirm').machine.facts(memory.journal.fleet)).boot;
}

async function goBack(
  context: Context,
  phase: Switching,
  cause: string,
  tail: string,
): Promise<Result<void>> {
  const { from, to, revision, mode, timeout, left } = phase;
  const said = left === undefined ? switchFailure(to, cause, tail) : backFailure(to, cause, tail);
  // A switch that failed on a full disk is not a bad revision.
  const isFull = await context.effects('switch').machine.isFull();
  const failure = isFull ? noSpace(`generation ${to} could not be activated`, said) : said;
  return context.memory.write({
    phase: {
      ...{ at: 'rollback', from, attempted: revision, failure, attempt: 0, mode, timeout },
      ...carriedBy(phase),
    },
  });
}

/** Whether units that fail are compared with those that had failed before. */
export function seesUnits({ baseline }: Pick<Switching, 'baseline'>): boolean {
  return baseline !== undefined && baseline.failedUnits !== null;
}

/**
 * Makes a target what the machine boots, unless it is only to be tested: `current`, the agent that comes with it, and for
 * NixOS the system profile. All of it once more does no harm. The value is why that can never be, if so.
 */
export async function makeCurrent(
  context: Context,
  stage: 'switch' | 'rollback',
  { kind, path, number, agent }: Target,
  { mode, timeout }: Switching | GoingBack,
): Promise<Result<string | undefined>> {
  if (mode === 'test') return ok(undefined);
  const { systems, nix, agentFiles } = context.effects(stage);
  const current = await systems.setCurrent(number);
  if (!current.ok) return current;
  if (agent !== undefined) {
    if (!(await agentFiles.has(agent))) return ok(`its agent, ${agent}, is gone from the disk`);
    const moved = await agentFiles.setCurrent(agent);
    if (!moved.ok) return moved;
  }
  if (kind === 'exec') return ok(undefined);
  const bounds = { timeout, signal: untilDone() };
  const set = await nix.setProfile(path, bounds);
  if (set.ok) return ok(undefined);
  const valid = await nix.isValid(path, bounds);
  return valid.ok && !valid.value ? ok('its path is not valid in the Nix store any more') : set;
}

/** Deliberately not the agent's own signal: half a switch is worse than a late stop. */
function untilDone(): AbortSignal {
  return new AbortController().signal;
}
