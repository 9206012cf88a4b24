import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { addAdmin, removeAdmin } from '../../shared/trust/edit-signers.ts';
import { fingerprint, parsePublicKey } from '../../shared/trust/ssh-key.ts';
import { removeReaders } from '../../shared/fleet/edit-secret.ts';
import { keyOf } from '../../shared/secrets/sealed.ts';
import { clean, fleetFile, finishEditing, openEditing, signersFile, type Editing } from './editing.ts';
import { resealFor, type Resealed, type With } from './sealing.ts';
import { usage, type Act, type Arguments, type Context } from './verb.ts';

/** `autark admin add|remove`: who may sign, from the commit above this one on (S4). */
export const admin: Act = async (args, context) => {
  const action = args.positional('ACTION') ?? '';
  const wrong = problemIn(action, args);
  if (wrong !== undefined) return fail(wrong);
  const opened = await openEditing(context, [signersFile]);
  if (!opened.ok) return opened;
  const name = args.positional('NAME') ?? '';
  return action === 'add'
    ? add(opened.value, name, args, context)
    : remove(opened.value, name, args, context);
};

function problemIn(action: string, args: Arguments): Failure | undefined {
  const key = args.text('key');
  if (action === 'add' && key === undefined) return usage('admin', 'admin add needs --key: their public key');
  if (action === 'remove' && key !== undefined)
    return usage('admin', 'admin remove takes the name alone, without --key');
  return undefined;
}

async function add(
  editing: Editing,
  name: string,
  args: Arguments,
  context: Context,
): Promise<Result<number>> {
  const key = await editing.editor.adminKey(context.resolve(args.text('key') ?? ''));
  if (!key.ok) return key;
  const text = addAdmin(editing.texts.get(signersFile) ?? '', name, key.value.key);
  if (!text.ok) return text;
  const print = printOf(key.value.key);
  context.terminal.note(`  ${name}  ${print}`);
  const agreed = await agree(args, context, `Did ${name} show you this fingerprint?`);
  if (!agreed.ok) return agreed;
  const change = {
    files: [{ path: signersFile, text: text.value }],
    message: `Let ${name} sign\n\n${print}\n`,
  };
  // From now on there are two, so nobody need be asked for another.
  const standing = { ...editing.standing, admins: new Set([...editing.standing.admins, key.value.key]) };
  const said = `${name} is added`;
  const done = await finishEditing({ ...editing, standing }, change, { ...context, args, said });
  const { secrets, readers } = editing.fleet;
  const reads = readers.some((reader) => keyOf(reader) === key.value.key);
  if (done.ok && secrets.size > 0 && !reads) context.terminal.note(noReader(name));
  return done;
}

async function remove(
  editing: Editing,
  name: string,
  args: Arguments,
  context: Context,
): Promise<Result<number>> {
  const edited = removeAdmin(editing.texts.get(signersFile) ?? '', name);
  if (!edited.ok) return edited;
  const { text, removed } = edited.value;
  const prints = removed.map(printOf);
  for (const print of prints) context.terminal.note(`  ${name}  ${print}`);
  const agreed = await agree(args, context, `Shall nothing that ${name} signs count any more?`);
  if (!agreed.ok) return agreed;
  const message = `Let ${name} sign no longer\n\n${prints.join('\n')}\n`;
  const left = [...editing.standing.admins].filter((key) => !removed.includes(key));
  const standing = { ...editing.standing, admins: new Set(left) };
  const reading = await withoutReader(editing, removed, { args, context });
  if (!reading.ok) return reading;
  const change = { files: [{ path: signersFile, text }, ...reading.value.files], message };
  const said = `${name} is removed`;
  const done = await finishEditing({ ...editing, standing }, change, { ...context, args, said });
  const lines = [...reading.value.told, ...leftOver(name, reading.value.files.length > 0)];
  if (done.ok) for (const line of lines) context.terminal.note(line);
  return done;
}

/** Whoever signs no longer opens nothing new either: taken out of `readers`, and all sealed anew without them. */
async function withoutReader(
  editing: Editing,
  removed: readonly string[],
  call: With,
): Promise<Result<Resealed>> {
  const before = editing.texts.get(fleetFile) ?? '';
  const text = removeReaders(before, removed);
  if (!text.ok) return text;
  if (text.value === before) return ok({ files: [], told: [] });
  const isClean = await clean(editing.editor, [fleetFile]);
  if (!isClean.ok) return isClean;
  const sealed = await resealFor(editing, text.value, call);
  if (!sealed.ok) return sealed;
  const files = [{ path: fleetFile, text: text.value }, ...sealed.value.files];
  return ok({ ...sealed.value, files });
}

function noReader(name: string): string {
  return `${name} opens no secret with this key: to let them, add it to \`readers\` of fleet.yaml, and run \`autark rekey\`.`;
}

async function agree(args: Arguments, { terminal }: Context, question: string): Promise<Result<void>> {
  if (args.flag('yes')) return ok(undefined);
  if (!terminal.canAsk) return fail(usage('admin', 'without a terminal admin needs --yes'));
  return (await terminal.confirm(question)) ? ok(undefined) : fail(declined);
}

/** What a commit cannot take back. */
function leftOver(name: string, wasReader: boolean): readonly string[] {
  return [
    ...(wasReader ? [`${name} is taken out of \`readers\` of fleet.yaml as well.`] : []),
    `Take ${name}'s rights on the Git server away too: a server and an old key together could show a host that has not ` +
      'seen this commit another branch.',
  ];
}

function printOf(key: string): string {
  const parsed = parsePublicKey(key);
  return parsed.ok ? fingerprint(parsed.value.blob) : key;
}

const declined: Failure = {
  kind: 'unexpected',
  cause: 'nothing was changed',
  where: signersFile,
  remedy: 'compare the fingerprint with `ssh-keygen -lf FILE.pub` where the key is, and run this again',
};
