import { fail, ok, type Result } from '../../shared/failure.ts';
import { pauseHost, unpauseHost } from '../../shared/fleet/edit.ts';
import { momentAhead } from '../../shared/fleet-view/time.ts';
import { fleetFile, finishEditing, hostIn, openEditing, type Editing } from './editing.ts';
import { usage, type Act, type Arguments, type Context } from './verb.ts';

/** `autark pause`: these hosts follow nothing until they are unpaused, or the time has come. */
export const pause: Act = async (args, context) => {
  const reason = args.text('reason');
  if (reason === undefined) return fail(usage('pause', 'pause needs --reason: every status will show it'));
  if (/\p{Cc}/u.test(reason)) return fail(usage('pause', '--reason is one line of text'));
  const until = untilOf(args, context.now());
  if (!until.ok) return until;
  const pausing = { reason, ...(until.value === undefined ? {} : { until: until.value }) };
  return editHosts(args, context, {
    edit: (text, host) => pauseHost(text, host, pausing),
    subject: `pause: ${reason}`,
    said: 'paused',
  });
};

/** `autark unpause`: these hosts follow the branch again. */
export const unpause: Act = (args, context) =>
  editHosts(args, context, { edit: unpauseHost, subject: 'unpause', said: 'unpaused' });

function untilOf(args: Arguments, now: number): Result<number | undefined> {
  const text = args.text('until');
  if (text === undefined) return ok(undefined);
  const time = momentAhead(text, now);
  if (time === undefined)
    return fail(usage('pause', `--until is a time such as 2h, 3d or 2027-01-05T08:00:00Z, not ${text}`));
  return time > now ? ok(time) : fail(usage('pause', `--until is a time to come, and ${text} is past`));
}

interface Edit {
  readonly edit: (text: string, host: string) => Result<string>;
  readonly subject: string;
  readonly said: string;
}

/** One commit for all of them. */
async function editHosts(
  args: Arguments,
  context: Context,
  { edit, subject, said }: Edit,
): Promise<Result<number>> {
  const opened = await openEditing(context);
  if (!opened.ok) return opened;
  const editing = opened.value;
  const text = edited(editing, args.rest, edit);
  if (!text.ok) return text;
  const names = [...new Set(args.rest)].join(', ');
  const change = { files: [{ path: fleetFile, text: text.value }], message: `${names}: ${subject}\n` };
  const verb = args.rest.length > 1 ? 'are' : 'is';
  return finishEditing(editing, change, { ...context, args, said: `${names} ${verb} ${said}` });
}

function edited({ fleet, texts }: Editing, hosts: readonly string[], edit: Edit['edit']): Result<string> {
  let text = texts.get(fleetFile) ?? '';
  for (const host of new Set(hosts)) {
    const known = hostIn(fleet, host);
    if (!known.ok) return known;
    const next = edit(text, host);
    if (!next.ok) return next;
    text = next.value;
  }
  return ok(text);
}
