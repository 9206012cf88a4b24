import type { Aim } from '../../shared/cycle/aim.ts';
import type { Refusal } from '../../shared/disk/refusal.ts';
import type { Failure } from '../../shared/failure.ts';
import type { Context } from '../context.ts';
import { conclude, type Ended } from '../ending.ts';

/** Milliseconds after which a step that did not run is looked at again, though nothing was pushed: a disk may be free by then. */
export const again = 10 * 60_000;

export interface Refused {
  readonly step: string;
  readonly host: string;
  /** At least one. */
  readonly reasons: readonly Refusal[];
  /** Something about it is new in the ledger, and is to go out with a record although the sentence is the same. */
  readonly isNews: boolean;
}

/** Ends a cycle in which a step did not run: its revision is held, with every reason in the record (60). */
export async function refuse(context: Context, aim: Aim, refused: Refused): Promise<Ended> {
  return holdFor(context, aim, refusedFailure(refused), refused.isNews);
}

/** The same for a failure that has its sentence already. */
export async function holdFor(context: Context, aim: Aim, failure: Failure, isNews = false): Promise<Ended> {
  const { memory, effects, senses } = context;
  await effects('step').trees.remove();
  // What is forgotten is recorded anew.
  if (isNews && !aim.isTrial) memory.remember({ standing: null });
  const until = senses.clock.now() + again;
  return conclude(context, 'step', failure, aim, { do: 'hold', event: 'held', failure, until });
}

export function refusedFailure({ step, host, reasons }: Omit<Refused, 'isNews'>): Failure {
  const [first, ...others] = reasons;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  const where = first?.where ?? `fleet.yaml, step ${step} of ${host}`;
  return {
    kind: 'step-refused',
    cause: `the step ${step} does not run: ${first?.cause ?? 'nobody knows why'}${more}`,
    where,
    remedy: first?.remedy ?? 'run `autark doctor` on the machine',
    ...(others.length === 0 ? {} : { detail: reasons.map(line).join('\n') }),
  };
}

function line({ rule, cause, where, remedy }: Refusal): string {
  return `${rule}${where === undefined ? '' : ` ${where}`}: ${cause}; ${remedy}`;
}
