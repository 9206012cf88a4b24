import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { failureOf } from '../../shared/fleet/findings.ts';
import type { Fleet } from '../../shared/fleet/fleet.ts';
import { parseFleet } from '../../shared/fleet/parse.ts';
import {
  differenceOf,
  lockWith,
  resealingFor,
  sourceOf,
  wholeResealing,
  type Resealing,
} from '../../shared/secrets/compare.ts';
import { keptLine } from '../../shared/secrets/findings.ts';
import { digestOf, formatLock, type LockEntry } from '../../shared/secrets/readers-lock.ts';
import { lockPath, sealedFiles, type SealedFile } from '../../shared/secrets/sealed.ts';
import { nameOfKey, seenBy } from '../../shared/secrets/seen.ts';
import { version } from '../../shared/version.ts';
import type { ChangedFile, CloneEditor, SecretDesk } from '../clone-ports.ts';
import { fleetsNaming } from '../fleet/past-fleets.ts';
import { sealedAtHead, type SealedTree } from '../fleet/sealed.ts';
import type { Opener } from '../secret-ports.ts';
import { clean, fleetFile, type Editing } from './editing.ts';
import type { Arguments, Context } from './verb.ts';

/** What a command changes of the sealed files, ready to be committed with the rest. */
export interface Resealed {
  readonly files: readonly ChangedFile[];
  /** What to tell once it is committed: files that go or stay though nothing declares them, who has seen which values. */
  readonly told: readonly string[];
}

/** What is to become of the sealed files. */
interface Sealing {
  readonly before: Fleet;
  readonly after: Fleet;
  readonly tree: SealedTree;
  readonly plan: Resealing;
  /** New values, by path. */
  readonly values?: ReadonlyMap<string, Uint8Array>;
}

/** How a command was called. */
export type With = { readonly args: Arguments; readonly context: Context };

/** What `fleet.yaml` would say, which no command commits unless hosts would read it. */
export function fleetIn(text: string): Result<Fleet> {
  const parsed = parseFleet(text, { file: fleetFile, version });
  if (parsed.ok) return ok(parsed.value);
  const { cause, remedy } = failureOf(parsed.failure);
  return fail({ kind: 'usage', cause: `nothing was committed: ${cause}`, where: fleetFile, remedy });
}

/**
 * Seals anew what a change of `fleet.yaml` gives other keys, before anything is written. Without such files nothing is
 * read and no key is needed.
 */
export async function resealFor(editing: Editing, text: string, call: With): Promise<Result<Resealed>> {
  const after = fleetIn(text);
  if (!after.ok) return after;
  const before = editing.fleet;
  if (before.secrets.size + after.value.secrets.size === 0) return ok({ files: [], told: [] });
  const tree = await sealedAtHead(editing.editor.clone);
  if (!tree.ok) return tree;
  const plan = resealingFor(before, after.value, tree.value);
  return seal(editing.editor, { before, after: after.value, tree: tree.value, plan }, call);
}

/** Everything that differs, whoever caused it; a sealed file that is declared nowhere goes only with `--remove-undeclared`. */
export async function resealAll({ editor, fleet }: Editing, call: With): Promise<Result<Resealed>> {
  const tree = await sealedAtHead(editor.clone, { isAnyLock: true });
  if (!tree.ok) return tree;
  const removesUndeclared = call.args.flag('remove-undeclared');
  const plan = wholeResealing(fleet, tree.value, { removesUndeclared });
  return seal(editor, { before: fleet, after: fleet, tree: tree.value, plan }, call);
}

/** New values, and what their declaration changes besides. */
export async function sealValues(
  editing: Editing,
  tree: SealedTree,
  { after, values }: { readonly after: Fleet; readonly values: ReadonlyMap<string, Uint8Array> },
  call: With,
): Promise<Result<Resealed>> {
  const before = editing.fleet;
  const plan = resealingFor(before, after, tree);
  const reseal = plan.reseal.filter(({ path }) => !values.has(path));
  return seal(editing.editor, { before, after, tree, plan: { ...plan, reseal }, values }, call);
}

async function seal(editor: CloneEditor, sealing: Sealing, call: With): Promise<Result<Resealed>> {
  const { before, after, tree, plan, values = new Map<string, Uint8Array>() } = sealing;
  const wanted = sealedFiles(after);
  const files = [...plan.reseal, ...wanted.filter(({ path }) => values.has(path))];
  const kept = plan.keep.map(keptLine);
  if (files.length + plan.remove.length === 0) return ok({ files: [], told: kept });
  const isClean = await clean(editor, [...files.map(({ path }) => path), ...plan.remove, lockPath]);
  if (!isClean.ok) return isClean;
  const desk = await call.context.roles.secretDesk();
  const opened = await openAll(plan.reseal, { desk, editor, call, sealing });
  if (!opened.ok) return opened;
  const now = Math.floor(call.context.now() / 1000) * 1000;
  const written = new Map<string, LockEntry>();
  const changed: ChangedFile[] = plan.remove.flatMap((path) =>
    tree.digests.has(path) ? [{ path, text: null }] : [],
  );
  for (const file of files) {
    const value = values.get(file.path) ?? opened.value.get(file.path) ?? new Uint8Array();
    const text = await desk.sealer.seal(value, file.recipients);
    if (!text.ok) return text;
    const known =
      values.has(file.path) || isUnknown(file, tree) ? undefined : tree.lock.get(sourceOf(file, before));
    const sha256 = digestOf(text.value);
    written.set(file.path, { sha256, changed: known?.changed ?? now, recipients: file.recipients });
    changed.push({ path: file.path, text: text.value });
  }
  const lock = lockWith(tree.lock, written, plan.remove);
  changed.push({ path: lockPath, text: lock.size === 0 ? null : formatLock(lock) });
  const seen = seenBy(withoutSet(keysBefore(sealing, files), values), after);
  const fleets = await fleetsNaming(editor.clone, [before, after], [...seen.keys()]);
  return ok({
    files: changed,
    told: [...sharedLines(plan, before), ...goneLines(changed), ...kept, ...seenLines(fleets, seen)],
  });
}

function sharedLines({ reseal }: Resealing, before: Fleet): readonly string[] {
  return reseal
    .filter((file) => sourceOf(file, before) !== file.path)
    .map(({ path, host = '' }) => `${host} keeps the value that was shared until now, in ${path}.`);
}

/** No value goes unnamed; the lock holds none. */
function goneLines(files: readonly ChangedFile[]): readonly string[] {
  return files
    .filter(({ path, text }) => text === null && path !== lockPath)
    .map(({ path }) => `${path} is removed; it stays in the history of Git, sealed.`);
}

/** Whose value nobody can say when it was set: the file is another one than the lock speaks of. */
function isUnknown(file: SealedFile, tree: SealedTree): boolean {
  return differenceOf(file, tree)?.kind === 'swapped';
}

/** Which keys opened the value of each file that is written or removed. */
function keysBefore(
  { before, tree, plan }: Sealing,
  files: readonly SealedFile[],
): ReadonlyMap<string, readonly string[]> {
  const written = files.map((file) => [file.path, sourceOf(file, before)] as const);
  const removed = plan.remove.map((path) => [path, path] as const);
  return new Map(
    [...written, ...removed].map(([path, source]) => [path, tree.lock.get(source)?.recipients ?? []]),
  );
}

/** A value that is set anew was seen by nobody. */
function withoutSet(
  keys: ReadonlyMap<string, readonly string[]>,
  values: ReadonlyMap<string, Uint8Array>,
): ReadonlyMap<string, readonly string[]> {
  return new Map([...keys].filter(([path]) => !values.has(path)));
}

interface Opening {
  readonly desk: SecretDesk;
  readonly editor: CloneEditor;
  readonly call: With;
  readonly sealing: Sealing;
}

async function openAll(
  files: readonly SealedFile[],
  { desk, editor, call, sealing }: Opening,
): Promise<Result<ReadonlyMap<string, Uint8Array>>> {
  const values = new Map<string, Uint8Array>();
  if (files.length === 0) return ok(values);
  const opener = await openerOf(desk, editor, call);
  if (!opener.ok) return fail(unchanged(opener.failure));
  const { lock, files: sealed } = sealing.tree;
  for (const file of files) {
    const path = sourceOf(file, sealing.before);
    const value = await opener.value.open(sealed.get(path) ?? new Uint8Array(), path);
    if (!value.ok) {
      const keys = lock.get(path)?.recipients ?? [];
      const who = keys.map((key) => nameOfKey([sealing.before, sealing.after], key));
      return fail(unchanged(value.failure, who));
    }
    values.set(file.path, value.value);
  }
  return ok(values);
}

/** The keys of whoever runs this; a passphrase is asked for on a terminal alone. */
export function openerOf(
  desk: SecretDesk,
  editor: CloneEditor,
  { args, context }: With,
): Promise<Result<Opener>> {
  const { terminal } = context;
  const ask = (question: string) => (terminal.canAsk ? terminal.askHidden(question) : Promise.resolve(''));
  return desk.opener(editor.identityFile(args.text('identity')), ask);
}

function unchanged(failure: Failure, who: readonly string[] = []): Failure {
  const can = who.length === 0 ? '' : `; those who can open it: ${who.join(', ')}`;
  return { ...failure, cause: `nothing was changed: ${failure.cause}${can}` };
}

function seenLines(
  fleets: readonly Fleet[],
  seen: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  return [...seen].map(
    ([key, names]) =>
      `${nameOfKey(fleets, key)} has seen: ${names.join(', ')}: set new values with autark secret set.`,
  );
}
