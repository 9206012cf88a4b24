import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { declareSecret } from '../../shared/fleet/edit-secret.ts';
import type { Fleet } from '../../shared/fleet/fleet.ts';
import { differenceOf } from '../../shared/secrets/compare.ts';
import type { SealedFile } from '../../shared/secrets/sealed.ts';
import type { SecretDesk } from '../clone-ports.ts';
import { sealedAtHead, type SealedTree } from '../fleet/sealed.ts';
import { fleetFile, finishEditing, openEditing, type Editing } from './editing.ts';
import { fleetIn, openerOf, sealValues, type With } from './sealing.ts';
import { alsoFor, declarationOf, fileFor } from './secret-declare.ts';
import { mostBytes, valueFrom, valueWithin } from './secret-value.ts';
import { usage, type Act } from './verb.ts';

/** What a value is taken from, once it is known where it goes. */
type Source = (at: At) => Promise<Result<Uint8Array>>;

interface At {
  readonly desk: SecretDesk;
  readonly editing: Editing;
  readonly tree: SealedTree;
  readonly file: SealedFile;
  readonly call: With;
}

/** `autark secret set`: from standard input, byte for byte; typed on a terminal, unseen and twice. */
export const setSecret: Act = (args, context) =>
  store({ args, context }, ({ desk, file }) => valueFrom(desk, context.terminal, file));

/** `autark secret import`: from a file that a key of this person opens. */
export const importSecret: Act = (args, context) =>
  store({ args, context }, async ({ desk, editing, call }) => {
    const path = context.resolve(args.positional('FILE') ?? '');
    const sealed = await desk.fileAt(path, 2 * mostBytes);
    if (!sealed.ok) return sealed;
    const opener = await openerOf(desk, editing.editor, call);
    const value = opener.ok ? await opener.value.open(sealed.value, path) : opener;
    return value.ok ? valueWithin(value.value, path) : value;
  });

/** `autark secret edit`: in an editor, on a file in memory. */
export const editSecret: Act = (args, context) =>
  store({ args, context }, async (at) => {
    const before = await openOld(at);
    if (!before.ok) return before;
    // A window that is closed must not leave the file behind.
    const gone = new AbortController();
    context.onHangup(() => {
      gone.abort();
    });
    const signal = AbortSignal.any([context.signal, gone.signal]);
    const edited = await at.desk.edit(before.value, at.file.secret, signal);
    return edited.ok ? valueWithin(withoutAddedNewline(before.value, edited.value), 'the editor') : edited;
  });

/** Editors end a text with a newline; a password that had none would be another one with it. */
function withoutAddedNewline(before: Uint8Array, after: Uint8Array): Uint8Array {
  const isAdded = before.length > 0 && before.at(-1) !== 10 && after.at(-1) === 10 && after.at(-2) !== 10;
  return isAdded ? after.subarray(0, -1) : after;
}

async function openOld({ desk, editing, tree, file, call }: At): Promise<Result<Uint8Array>> {
  const sealed = tree.files.get(file.path);
  if (sealed === undefined) return fail(noValue(file));
  const opener = await openerOf(desk, editing.editor, call);
  return opener.ok ? opener.value.open(sealed, file.path) : opener;
}

export function noValue({ secret, path, host }: SealedFile): Failure {
  return {
    kind: 'unexpected',
    cause: `${secret} has no value yet`,
    where: path,
    remedy: `set one: autark secret set ${secret}${host === undefined ? '' : ` --host ${host}`}`,
  };
}

async function store(call: With, source: Source): Promise<Result<number>> {
  const { args, context } = call;
  const name = args.positional('NAME') ?? '';
  const opened = await openEditing(context);
  if (!opened.ok) return opened;
  const editing = opened.value;
  const declared = declare(editing, name, call);
  if (!declared.ok) return declared;
  const { text, after } = declared.value;
  const file = fileFor(args, after, name);
  if (!file.ok) return file;
  const tree = await sealedAtHead(editing.editor.clone);
  if (!tree.ok) return tree;
  const desk = await context.roles.secretDesk();
  const at: At = { desk, editing, tree: tree.value, file: file.value, call };
  const value = await source(at);
  if (!value.ok) return value;
  const isSame = text === editing.texts.get(fleetFile) && (await holds(at, value.value));
  if (isSame) {
    context.terminal.note(`${name} has this value already, for the same readers: nothing was changed.`);
    return ok(0);
  }
  return commit(at, { text, after, value: value.value });
}

interface Declared {
  readonly text: string;
  readonly after: Fleet;
}

function declare(editing: Editing, name: string, { args }: With): Result<Declared> {
  if (editing.fleet.readers.length === 0) return fail(noReaders);
  const declaration = declarationOf(args, editing.fleet, name);
  const more = alsoFor(args, editing.fleet, name);
  const isNew = !editing.fleet.secrets.has(name);
  const isEdit = args.positional('ACTION') === 'edit';
  const { hosts = [], groups = [] } = declaration;
  if (isNew && !isEdit && hosts.length + groups.length + more.length === 0)
    return fail(usage('secret', `nobody gets ${name}`, 'say who does with --host or --group'));
  const before = editing.texts.get(fleetFile) ?? '';
  // What is edited is there already: `--host` only says whose.
  const text = isEdit ? ok(before) : declareSecret(before, name, declaration, more);
  if (!text.ok) return text;
  const after = fleetIn(text.value);
  return after.ok ? ok({ text: text.value, after: after.value }) : after;
}

/** Whether the file holds this value for exactly its readers; a key that does not open it cannot tell. */
async function holds(at: At, value: Uint8Array): Promise<boolean> {
  if (differenceOf(at.file, at.tree) !== undefined) return false;
  const old = await openOld(at);
  return old.ok && Buffer.from(old.value).equals(value);
}

async function commit(
  { editing, tree, file, call }: At,
  { text, after, value }: Declared & { readonly value: Uint8Array },
): Promise<Result<number>> {
  const values = new Map([[file.path, value]]);
  const sealed = await sealValues(editing, tree, { after, values }, call);
  if (!sealed.ok) return sealed;
  const isDeclared = text !== editing.texts.get(fleetFile);
  const files = [...(isDeclared ? [{ path: fleetFile, text }] : []), ...sealed.value.files];
  const whose = file.host === undefined ? file.secret : `${file.secret} for ${file.host}`;
  const said = `${whose} is set`;
  const { args, context } = call;
  const change = { files, message: `${whose}: set the value\n` };
  const done = await finishEditing(editing, change, { ...context, args, said });
  if (done.ok) for (const line of sealed.value.told) context.terminal.note(line);
  return done;
}

const noReaders: Failure = {
  kind: 'unexpected',
  cause: 'the fleet has no readers, so nobody could ever seal this value to another host',
  where: `${fleetFile}, readers`,
  remedy:
    'write `readers:` with your public key, `  - ssh-ed25519 AAAA… you`, and one that is kept offline, and commit that',
};
