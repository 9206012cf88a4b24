import { backFailure, judge, switchFailure, type Activation } from '../../shared/cycle/confirm.ts';
import { attempts, type Generation, type Phase } from '../../shared/cycle/journal.ts';
import { fail, ok, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { noSpace } from './no-space.ts';
import { programPath } from '../../shared/program-path.ts';
import type { Context } from '../context.ts';
import type { Ending, Ran } from '../ports.ts';

export type Switching = Extract<Phase, { at: 'switch' }>;
export type GoingBack = Extract<Phase, { at: 'rollback' }>;

/** Bytes that an activation may print before it counts as out of its mind. */
const outputCap = 64 * 2 ** 20;

/**
 * Makes the planned generation current and activates it. Found half done after a crash, it is begun again: an
 * activation is idempotent, and bounded in its attempts. SIGTERM waits for it, for half a switch is worse than a
 * late stop.
 */
export async function switchTo(context: Context, phase: Switching): Promise<Result<void>> {
  const { systems, programs } = context.effects('switch');
  if (phase.child !== undefined) await programs.endLeftover(phase.child);
  if (phase.attempt >= attempts.switch) {
    return goBack(context, phase, `it was interrupted ${phase.attempt} times`, '');
  }
  const generation = (await systems.generations()).find(({ number }) => number === phase.to);
  if (generation === undefined) return goBack(context, phase, 'its record is gone from the disk', '');
  const current = await makeCurrent(context, 'switch', generation, phase);
  if (!current.ok) return current;
  if (current.value !== undefined) return goBack(context, phase, current.value, '');
  const { activation, tail } = await activate(context, 'switch', generation, phase.revision, phase);
  const verdict = judge(activation, seesUnits(phase));
  if (!verdict.good) return goBack(context, phase, verdict.cause, tail);
  const { from, before, to, revision, mode, timeout, left, baseline } = phase;
  const exit = activation.how === 'exited' ? activation.code : 0;
  return context.memory.write({
    phase: {
      ...{ at: 'confirm', from, to, revision, mode, exit },
      ...(before === undefined ? {} : { before }),
      ...(left === undefined ? {} : { left }),
      ...(baseline === undefined ? {} : { baseline, timeout }),
    },
  });
}

async function goBack(
  context: Context,
  phase: Switching,
  cause: string,
  tail: string,
): Promise<Result<void>> {
  const { from, before, to, revision, mode, timeout, left, baseline } = phase;
  const said = left === undefined ? switchFailure(to, cause, tail) : backFailure(to, cause, tail);
  // A switch that failed on a full disk is not a bad revision.
  const isFull = await context.effects('switch').machine.isFull();
  const failure = isFull ? noSpace(`generation ${to} could not be activated`, said) : said;
  return context.memory.write({
    phase: {
      ...{ at: 'rollback', from, attempted: revision, failure, attempt: 0, mode, timeout },
      ...(before === undefined ? {} : { before }),
      ...(left === undefined ? {} : { left }),
      ...(baseline === undefined ? {} : { baseline }),
    },
  });
}

/** Whether units that fail are compared with those that had failed before. */
export function seesUnits({ baseline }: Pick<Switching, 'baseline'>): boolean {
  return baseline !== undefined && baseline.failedUnits !== null;
}

/** What is activated: a generation, or, without a number, what a NixOS machine ran before its first one. */
export interface Target extends Pick<Generation, 'kind' | 'path' | 'revision'> {
  readonly number: number | null;
}

/**
 * Makes a target what the machine boots, unless it is only to be tested: `current`, and for NixOS the system profile.
 * Both once more do no harm. The value is why that can never be, if so.
 */
export async function makeCurrent(
  context: Context,
  stage: 'switch' | 'rollback',
  { kind, path, number }: Target,
  { mode, timeout }: Switching | GoingBack,
): Promise<Result<string | undefined>> {
  if (mode === 'test') return ok(undefined);
  const { systems, nix } = context.effects(stage);
  const current = await systems.setCurrent(number);
  if (!current.ok) return current;
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

/** Runs a generation's `bin/switch-to-configuration`; the phase in the journal names the process before it begins. */
export async function activate(
  context: Context,
  stage: 'switch' | 'rollback',
  { path }: Target,
  revision: ObjectId,
  phase: Switching | GoingBack,
): Promise<{ activation: Activation; tail: string }> {
  const { programs } = context.effects(stage);
  const { memory, settings, root } = context;
  const ran = await programs.run(
    {
      file: `${path}/bin/switch-to-configuration`,
      args: [phase.mode],
      cwd: root,
      env: {
        PATH: programPath,
        AUTARK_HOST: settings.host,
        AUTARK_REVISION: revision,
        AUTARK_ROOT: root,
      },
      outputCap,
      leftovers: 'leave',
      onStart: async (child) => {
        const noted = await memory.write({ phase: { ...phase, attempt: phase.attempt + 1, child } });
        return noted.ok ? ok(undefined) : fail(noted.failure);
      },
    },
    { timeout: phase.timeout, signal: untilDone() },
  );
  return { activation: activationOf(ran.ending, phase.timeout), tail: ran.tail };
}

function activationOf(ending: Ending, timeout: number): Activation {
  if (ending.how === 'exited') return ending;
  return { how: 'failed', reason: reasonOf(ending, timeout, 'its activation') };
}

/** Why a program did not end by itself with an exit code. */
export function reasonOf(
  ending: Exclude<Ran['ending'], { how: 'exited' }>,
  timeout: number,
  what: string,
): string {
  switch (ending.how) {
    case 'signalled':
      return `${what} was ended by ${ending.signal}`;
    case 'timeout':
      return `${what} took longer than ${Math.round(timeout / 1000)} s and was ended`;
    case 'flooded':
      return `${what} wrote more output than it may and was ended`;
    case 'aborted':
      return `${what} was stopped`;
    case 'unstartable':
      return `${what} could not be started: ${ending.reason}`;
  }
}
