import type { Activation } from '../../shared/cycle/confirm.ts';
import type { Generation } from '../../shared/cycle/journal.ts';
import type { Phase } from '../../shared/cycle/phase.ts';
import { fail, ok, type Failure } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { Context } from '../context.ts';
import type { Ending, Ran } from '../ports.ts';
import { activationEnvironment } from './way-back.ts';

export type Switching = Extract<Phase, { at: 'switch' }>;
export type GoingBack = Extract<Phase, { at: 'rollback' }>;

/** What is activated: a generation, or, without a number, what a NixOS machine ran before its first one. */
export interface Target extends Pick<Generation, 'kind' | 'path' | 'revision' | 'agent' | 'secrets'> {
  readonly number: number | null;
}

function nameOf(stage: 'switch' | 'rollback', generation: number, attempt: number): string {
  return `${stage}-${generation}-${attempt}`;
}

/** An activation outside the agent goes on when the agent is asked to stop. */
export const leftAlone: Failure = {
  kind: 'unexpected',
  cause: 'the agent was asked to stop during an activation, which goes on',
  remedy: 'start the agent again: it takes up how the activation ended',
};

export interface Activated {
  readonly activation: Activation;
  readonly tail: string;
}

/** Runs a generation's `bin/switch-to-configuration`; the phase in the journal says so before it begins. */
export async function activate(
  context: Context,
  stage: 'switch' | 'rollback',
  { path }: Target,
  revision: ObjectId,
  phase: Switching | GoingBack,
): Promise<Activated | 'left'> {
  const { activations } = context.effects(stage);
  const { memory, root } = context;
  const attempt = phase.attempt + 1;
  const { child, ...begun } = phase;
  const ran = await activations.run(
    {
      name: nameOf(stage, memory.journal.newest, attempt),
      file: `${path}/bin/switch-to-configuration`,
      args: [phase.mode],
      cwd: root,
      env: activationEnvironment(context, revision),
      onStart: async (process) => {
        const noted = { ...begun, attempt, ...(process === undefined ? {} : { child: process }) };
        const written = await memory.write({ phase: noted });
        return written.ok ? ok(undefined) : fail(written.failure);
      },
    },
    { timeout: phase.timeout, signal: context.signal },
  );
  return 'how' in ran ? 'left' : activatedBy(ran, phase.timeout);
}

/** How the attempt ended that the journal says was begun; `null` when it was cut off, or none was. */
export async function outcomeOf(
  context: Context,
  stage: 'switch' | 'rollback',
  { attempt, timeout, child }: Switching | GoingBack,
): Promise<Activated | 'left' | null> {
  if (attempt === 0) return null;
  const begun = { name: nameOf(stage, context.memory.journal.newest, attempt) };
  const ran = await context
    .effects(stage)
    .activations.outcome(child === undefined ? begun : { ...begun, child }, {
      timeout,
      signal: context.signal,
    });
  if (ran === null) return null;
  return 'how' in ran ? 'left' : activatedBy(ran, timeout);
}

function activatedBy({ ending, tail }: Ran, timeout: number): Activated {
  return { activation: activationOf(ending, timeout), tail };
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
