import { exitCode, type Failure } from '../failure.ts';
import type { ObjectId } from '../objects/object.ts';
import type { StateEvent } from '../record/status.ts';
import type { Standing } from './journal.ts';

/** What a finding rests on. */
export interface Basis {
  readonly head: ObjectId;
  readonly under: string;
  /** Milliseconds since the epoch at which it ends by itself. */
  readonly until?: number | undefined;
}

/** What stands after a happening, for the cycles that find nothing new. */
export function standingOf(
  { event, failure }: { readonly event: StateEvent; readonly failure?: Failure },
  { head, under, until }: Basis,
): Standing {
  return {
    head,
    under,
    event,
    code: failure === undefined ? 0 : exitCode(failure.kind),
    cause: failure?.cause ?? '',
    ...(until === undefined ? {} : { until }),
  };
}

/** Whether the same head under the same settings was judged before, and the judgement has not run out. */
export function stillStands(
  standing: Standing | null,
  { head, under, now }: { readonly head: ObjectId; readonly under: string; readonly now: number },
): standing is Standing {
  return (
    standing !== null &&
    standing.head === head &&
    standing.under === under &&
    (standing.until === undefined || now < standing.until)
  );
}

/** Whether a finding only repeats what was recorded: then nothing changed, and nothing is committed. */
export function saysTheSame(before: Standing | null, after: Standing): boolean {
  return (
    before !== null &&
    before.head === after.head &&
    before.event === after.event &&
    before.cause === after.cause
  );
}
