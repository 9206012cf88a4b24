import { fail, ok, type Result } from '../../shared/failure.ts';
import { removeSecret } from '../../shared/fleet/edit-secret.ts';
import { fleetFile, finishEditing, openEditing } from './editing.ts';
import { resealFor } from './sealing.ts';
import type { Act } from './verb.ts';

/** `autark secret remove`: the declaration, and all that is sealed for it; hosts then remove the value. */
export const removeOne: Act = async (args, context) => {
  const name = args.positional('NAME') ?? '';
  const opened = await openEditing(context);
  if (!opened.ok) return opened;
  const editing = opened.value;
  const hosts = hostsOf(editing.fleet.secrets.get(name)?.hosts, name);
  if (!hosts.ok) return hosts;
  const text = removeSecret(editing.texts.get(fleetFile) ?? '', name);
  if (!text.ok) return text;
  const sealed = await resealFor(editing, text.value, { args, context });
  if (!sealed.ok) return sealed;
  const files = [{ path: fleetFile, text: text.value }, ...sealed.value.files];
  const said = `${name} is removed`;
  const change = { files, message: `${name}: remove the secret\n` };
  const done = await finishEditing(editing, change, { ...context, args, said });
  const losing = hosts.value.length === 0 ? 'No host has it.' : `${hosts.value.join(', ')} will lose it.`;
  if (done.ok) context.terminal.note(`${losing} Its values stay in the history of Git, sealed.`);
  return done;
};

function hostsOf(hosts: readonly string[] | undefined, name: string): Result<readonly string[]> {
  if (hosts !== undefined) return ok(hosts);
  return fail({
    kind: 'unexpected',
    cause: `no secret is called ${name}`,
    where: `${fleetFile}, secrets`,
    remedy:
      '`autark secret list` lists them all; what is sealed and declared nowhere goes with `autark rekey --remove-undeclared`',
  });
}
