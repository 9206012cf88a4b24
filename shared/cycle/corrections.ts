import type { Corrections, Drift, Journal } from './journal.ts';

/**
 * How often a drift is put right at one head within the span, in milliseconds. Whatever switches a machine more often than
 * that is no slip of a person's hand but another program, and each correction is a generation and an activation: the
 * two would go on for ever.
 */
const most = 3;
const span = 3_600_000;

/**
 * What makes the agent look at the head once more, so that a drift is put right: the head must be deployed well, for
 * what failed there is not tried again for this. One drift too many is only noted, and so is each that follows before
 * there was peace for as long as the span.
 * @param now milliseconds since the epoch
 */
export function reopened(journal: Journal, drift: Drift | null, now: number): Partial<Journal> {
  const { pace, standing } = journal;
  if (drift === null || pace.corrects !== true || standing?.code !== 0) return {};
  const corrections = { head: standing.head, at: [...recent(journal, standing.head, now), now] };
  return isTooMany(corrections) ? { corrections } : { standing: null, corrections };
}

/** As many as tell that there is one too many; a clock that was set makes those of another time no recent ones. */
function recent({ corrections }: Journal, head: Corrections['head'], now: number): readonly number[] {
  if (corrections?.head !== head) return [];
  return corrections.at.filter((at) => Math.abs(now - at) < span).slice(-most);
}

function isTooMany({ at }: Corrections): boolean {
  return at.length > most;
}

/** Whether a drift that stands is left as it is, although the host is to put right what drifted. */
export function isLeft({
  corrections,
  drift,
  pace,
  standing,
}: Pick<Journal, 'corrections' | 'drift' | 'pace' | 'standing'>): boolean {
  if (drift === null || pace.corrects !== true || corrections === null) return false;
  return isTooMany(corrections) && corrections.head === standing?.head;
}

/** What a record says of that, without its full stop. */
export const leftSentence = `that was put right ${most} times within an hour, and changed again each time: it is left as it is now`;

/** What a person does about it. */
export const leftRemedy =
  'look on the host for the program that switches it, and end that; then push any revision, and the host goes back by itself';
