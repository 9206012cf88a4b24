import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { retireHost } from '../../shared/fleet/edit.ts';
import { fleetFile, finishEditing, hostIn, openEditing, type Editing } from './editing.ts';
import { resealFor } from './sealing.ts';
import { usage, type Act, type Arguments, type Context } from './verb.ts';

/** `autark retire`: a tombstone in the place of the host's entry; its agent records that and stops. */
export const retire: Act = async (args, context) => {
  const host = args.positional('HOST') ?? '';
  const opened = await openEditing(context);
  if (!opened.ok) return opened;
  const editing = opened.value;
  const may = mayRetire(editing, host);
  if (!may.ok) return may;
  const agreed = await agree(args, context, host);
  if (!agreed.ok) return agreed;
  const text = retireHost(editing.texts.get(fleetFile) ?? '', host);
  if (!text.ok) return text;
  const sealed = await resealFor(editing, text.value, { args, context });
  if (!sealed.ok) return sealed;
  const files = [{ path: fleetFile, text: text.value }, ...sealed.value.files];
  const change = { files, message: `${host}: retire\n` };
  const done = await finishEditing(editing, change, { ...context, args, said: `${host} is retired` });
  if (done.ok) for (const line of [...sealed.value.told, ...leftOver(host)]) context.terminal.note(line);
  return done;
};

function mayRetire({ fleet }: Editing, host: string): Result<void> {
  const known = hostIn(fleet, host);
  if (!known.ok) return known;
  return fleet.hosts.get(host)?.retired === true ? fail(already(host)) : ok(undefined);
}

/** There is no way back under this name, so the name is what a person types. */
async function agree(args: Arguments, { terminal }: Context, host: string): Promise<Result<void>> {
  if (args.flag('yes')) return ok(undefined);
  if (!terminal.canAsk) return fail(usage('retire', 'without a terminal retire needs --yes'));
  terminal.note(`${host} will record that it is retired, and stop for good. What it runs stays as it is.`);
  const answer = await terminal.ask(`Type the name of the host to retire it:`);
  return answer === host ? ok(undefined) : fail(declined(host));
}

/** What a commit cannot take back. */
function leftOver(host: string): readonly string[] {
  return [
    'What is left to do once it has said so:',
    `  on the Git server, remove the key or token with which ${host} fetches and pushes`,
    `  change every password, token and certificate that ${host} has seen`,
    `  wipe its disks, or remove /etc/autark and /var/lib/autark; its records in state/${host} stay as history`,
  ];
}

function already(host: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${host} is retired already`,
    where: `${fleetFile}, hosts.${host}`,
    remedy: 'nothing is left to do here',
  };
}

function declined(host: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${host} is not retired, and nothing was changed`,
    remedy: `to stop it for a while only, use \`autark pause ${host} --reason TEXT\``,
  };
}
