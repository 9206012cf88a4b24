import { ok, type Result } from '../../shared/failure.ts';
import { pauseHost, unpauseHost } from '../../shared/fleet/edit.ts';
import { fleetFile, finishEditing, hostIn, openEditing, type Editing } from './editing.ts';
import type { Act, Arguments, Context } from './verb.ts';
import { waitingOf } from './waiting.ts';

/** `autark pause`: these hosts follow nothing until they are unpaused, or the time has come. */
export const pause: Act = async (args, context) => {
  const waiting = waitingOf('pause', args, context.now());
  if (!waiting.ok) return waiting;
  return editHosts(args, context, {
    edit: (text, host) => pauseHost(text, host, waiting.value),
    subject: `pause: ${waiting.value.reason}`,
    said: 'paused',
  });
};

/** `autark unpause`: these hosts follow the branch again. */
export const unpause: Act = (args, context) =>
  editHosts(args, context, { edit: unpauseHost, subject: 'unpause', said: 'unpaused' });

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
