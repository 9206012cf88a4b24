import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { addAdmin, removeAdmin } from '../../shared/trust/edit-signers.ts';
import { fingerprint, parsePublicKey } from '../../shared/trust/ssh-key.ts';
import { finishEditing, openEditing, signersFile, type Editing } from './editing.ts';
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
  return finishEditing({ ...editing, standing }, change, { ...context, args, said });
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
  const change = { files: [{ path: signersFile, text }], message };
  const said = `${name} is removed`;
  const done = await finishEditing({ ...editing, standing }, change, { ...context, args, said });
  if (done.ok) for (const line of leftOver(editing, name, removed)) context.terminal.note(line);
  return done;
}

async function agree(args: Arguments, { terminal }: Context, question: string): Promise<Result<void>> {
  if (args.flag('yes')) return ok(undefined);
  if (!terminal.canAsk) return fail(usage('admin', 'without a terminal admin needs --yes'));
  return (await terminal.confirm(question)) ? ok(undefined) : fail(declined);
}

/** What a commit cannot take back. */
function leftOver({ fleet }: Editing, name: string, removed: readonly string[]): readonly string[] {
  const reads = fleet.readers.some((reader) => removed.some((key) => reader.startsWith(key)));
  return [
    ...(reads ? [`${name} is still in \`readers\` of fleet.yaml: take the line out as well.`] : []),
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
