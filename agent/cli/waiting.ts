import { fail, ok, type Result } from '../../shared/failure.ts';
import { isReason, longestReason } from '../../shared/cycle/parse-hold.ts';
import { moment } from '../../shared/fleet-view/time.ts';
import { oneLine } from '../../shared/printable.ts';
import { usage, type Arguments } from './verb.ts';

/** Why a host shall wait, and until when: what `hold` and `pause` are given. */
export interface Waiting {
  readonly reason: string;
  /** Milliseconds since the epoch; absent: until a person says so. */
  readonly until?: number;
}

/** `--reason` and `--until` of a verb. */
export function waitingOf(verb: string, args: Arguments, now: number): Result<Waiting> {
  const reason = args.text('reason');
  if (reason === undefined) return fail(usage(verb, `${verb} needs --reason: every status will show it`));
  if (!isReason(reason)) {
    return fail(usage(verb, `--reason is a line of at most ${longestReason} characters`));
  }
  const text = args.text('until');
  if (text === undefined) return ok({ reason });
  const until = moment(text, now, 'on');
  if (until === undefined) {
    const examples = '2h, 3d or 2027-01-05T08:00:00Z';
    return fail(usage(verb, `--until is a time such as ${examples}, not ${oneLine(text)}`));
  }
  if (until <= now) return fail(usage(verb, `--until is a time to come, and ${oneLine(text)} is past`));
  return ok({ reason, until });
}
