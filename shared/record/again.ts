import type { Draft } from '../cycle/phase.ts';
import { fail, ok, type Result } from '../failure.ts';
import { parseMessage } from './message.ts';
import { parseStatus } from './parse-status.ts';
import type { Found } from './tip.ts';

/** Where a record that is made again comes to hang. */
export interface NewPlace {
  readonly seq: number;
  /** The promise of the next record, as the newest record gives it: the old one may be past. */
  readonly next: string | undefined;
  /** What is kept now: what was sealed then is older. */
  readonly sealed: NonNullable<Draft['sealed']>;
}

/**
 * The draft of a record that was made before, for another place in the chain: what happened and when stays as it was
 * said then (P6). The failure is a sentence.
 */
export function draftAgain(
  { commit, statusText }: Pick<Found, 'commit' | 'statusText'>,
  { seq, next: promised, sealed }: NewPlace,
): Result<Draft, string> {
  const status = parseStatus(statusText);
  if (!status.ok) return status;
  const { next: _past, ...said } = status.value;
  const { event } = said.outcome;
  const at = Date.parse(said.at);
  if (Number.isNaN(at)) return fail(`its time ${said.at} cannot be read`);
  const { subject, detail } = parseMessage(commit.message);
  return ok({
    subject,
    detail,
    at,
    deploys: event === 'deployed' || event === 'unchanged',
    ...(Object.keys(sealed).length === 0 ? {} : { sealed }),
    status: { ...said, seq, ...(promised === undefined ? {} : { next: promised }) },
  });
}
