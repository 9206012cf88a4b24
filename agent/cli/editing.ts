import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { failureOf } from '../../shared/fleet/findings.ts';
import type { Fleet } from '../../shared/fleet/fleet.ts';
import { parseFleet } from '../../shared/fleet/parse.ts';
import { version } from '../../shared/version.ts';
import type { AdminKey, Clone, CloneChange, CloneEditor } from '../clone-ports.ts';
import { findAuthority } from '../fleet/authority.ts';
import { standingOf, type Standing } from '../fleet/standing.ts';
import { trusted } from './trusted.ts';
import type { Arguments, Context } from './verb.ts';

export const fleetFile = 'fleet.yaml';
export const signersFile = 'allowed_signers';

/** A clone whose checked-out commit was found authentic, for what opens and changes nothing (S12). */
export interface Reading extends Pick<Editing, 'fleet' | 'texts'> {
  readonly editor: CloneEditor;
}

/** Asks no server and needs no right to sign: whoever is a reader may open, offline too. */
export async function openReading({ roles, signal, terminal }: Context): Promise<Result<Reading>> {
  const opened = await roles.cloneEditor(signal);
  if (!opened.ok) return opened;
  const editor = opened.value;
  const { clone } = editor;
  const at = await fleetAtHead(clone);
  if (!at.ok) return at;
  const authority = await findAuthority(clone, clone.head ?? '', await clone.memory.load());
  if (!authority.ok) return authority;
  const { introduction, problem } = authority.value;
  if (problem !== null) return fail(problem);
  if (introduction.isFound) terminal.note(`autark: ${trusted(introduction.id)}`);
  return ok({ editor, ...at.value });
}

/** A clone whose branch may be changed by one signed commit. */
export interface Editing {
  readonly editor: CloneEditor;
  readonly key: AdminKey;
  readonly standing: Standing;
  readonly fleet: Fleet;
  /** The text of each file that is there, as the last commit has it. */
  readonly texts: ReadonlyMap<string, string>;
}

/**
 * The beginning of every command that commits: the clone has what its remote has, what is to be written has no changes
 * of the person's own, and what they sign above counts, before anything is asked.
 */
export async function openEditing(
  { roles, signal, terminal }: Context,
  files: readonly string[] = [fleetFile],
): Promise<Result<Editing>> {
  const opened = await roles.cloneEditor(signal);
  if (!opened.ok) return opened;
  const editor = opened.value;
  const { clone } = editor;
  const fresh = await upToDate(editor);
  if (!fresh.ok) return fresh;
  const isClean = await clean(editor, files);
  if (!isClean.ok) return isClean;
  const at = await fleetAtHead(clone, files);
  if (!at.ok) return at;
  const key = await editor.adminKey(undefined);
  if (!key.ok) return key;
  const standing = await standingOf(clone, key.value.key);
  if (!standing.ok) return standing;
  const { introduction } = standing.value;
  if (introduction.isFound) terminal.note(`autark: ${trusted(introduction.id)}`);
  return ok({ editor, key: key.value, standing: standing.value, ...at.value });
}

/** Commits, pushes if asked to, and says so: the commit alone on standard output. */
export async function finishEditing(
  { editor, key, standing }: Editing,
  change: CloneChange,
  { args, terminal, said }: Pick<Context, 'terminal'> & { readonly args: Arguments; readonly said: string },
): Promise<Result<number>> {
  const valid = whatHostsRead(change);
  if (!valid.ok) return valid;
  const made = await editor.commit(change, key);
  if (!made.ok) return made;
  const isPushed = args.flag('push');
  const { clone } = editor;
  const done = isPushed ? await editor.push(clone.remote?.branch ?? clone.branch) : ok(undefined);
  if (!done.ok) return done;
  terminal.out(`${made.value}\n`);
  terminal.note(`${said}${isPushed ? ' and pushed' : '; push it: git push'}.`);
  if (standing.admins.size === 1) terminal.note(onlyOneKey);
  return ok(0);
}

/** No command makes a fleet.yaml that hosts would refuse, whatever it was given. */
function whatHostsRead({ files }: CloneChange): Result<void> {
  const text = files.find(({ path }) => path === fleetFile)?.text;
  const fleet = typeof text !== 'string' ? ok(undefined) : parseFleet(text, { file: fleetFile, version });
  if (fleet.ok) return ok(undefined);
  const { cause, remedy } = failureOf(fleet.failure);
  return fail({ kind: 'usage', cause: `nothing was committed: ${cause}`, where: fleetFile, remedy });
}

/** Asked for until there is one. */
export const onlyOneKey =
  'Only one key may sign: were it lost, nothing could be changed any more. Keep a second one offline, and add it: ' +
  'autark admin add NAME --key FILE.pub';

/** The host's entry, which must be there. */
export function hostIn(fleet: Fleet, name: string): Result<void> {
  return fleet.hosts.has(name) ? ok(undefined) : fail(unknownHost(name));
}

export function unknownHost(name: string): Failure {
  return {
    kind: 'unexpected',
    cause: `no host is called ${name}`,
    where: `${fleetFile}, hosts`,
    remedy: '`autark status` lists them all',
  };
}

/** Fetches, and refuses when the remote's branch has commits that this clone lacks. */
export async function upToDate({ clone }: CloneEditor): Promise<Result<void>> {
  const fetched = await clone.fetch();
  if (!fetched.ok) return fetched;
  const refs = await clone.remoteRefs();
  if (!refs.ok) return refs;
  const theirs = refs.value.find((ref) => ref.name === clone.remote?.branch)?.id;
  if (theirs === undefined || theirs === clone.head) return ok(undefined);
  const missing = clone.head === null ? null : await clone.distance(clone.head, theirs);
  return missing === 0 ? ok(undefined) : fail(outdated(clone, missing));
}

/** Refuses when a file that is to be written, or approved as it was committed, has uncommitted changes. */
export async function clean(editor: CloneEditor, paths: readonly string[]): Promise<Result<void>> {
  const loose = await editor.uncommitted(paths);
  if (!loose.ok) return loose;
  const [first] = loose.value;
  return first === undefined ? ok(undefined) : fail(dirty(first, editor.clone.root));
}

/** `fleet.yaml`, and the texts of these files besides, as the last commit has them. */
export async function fleetAtHead(
  clone: Clone,
  files: readonly string[] = [],
): Promise<Result<Pick<Editing, 'fleet' | 'texts'>>> {
  const texts = await committed(clone, [...new Set([fleetFile, ...files])]);
  if (!texts.ok) return texts;
  const fleet = parseFleet(texts.value.get(fleetFile) ?? '', { file: fleetFile, version });
  return fleet.ok ? ok({ fleet: fleet.value, texts: texts.value }) : fail(failureOf(fleet.failure));
}

async function committed(
  clone: Clone,
  files: readonly string[],
): Promise<Result<ReadonlyMap<string, string>>> {
  const { head, root } = clone;
  if (head === null) return fail(noFleet(root));
  const objects = await clone.read(files.map((file) => `${head}:${file}`));
  if (!objects.ok) return objects;
  const texts = files.flatMap((file): [string, string][] => {
    const object = objects.value.get(`${head}:${file}`);
    return object === undefined ? [] : [[file, Buffer.from(object.bytes).toString('utf8')]];
  });
  const found = new Map(texts);
  return found.has(fleetFile) ? ok(found) : fail(noFleet(root));
}

function noFleet(root: string): Failure {
  return {
    kind: 'unexpected',
    cause: `there is no ${fleetFile} here`,
    where: root,
    remedy: 'run `autark init` to make a fleet, or switch to its branch',
  };
}

function dirty(file: string, root: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${file} has changes that are not committed`,
    where: `${root}/${file}`,
    remedy: `commit them, or undo them with \`git restore --source=HEAD --staged --worktree ${file}\``,
  };
}

function outdated({ branch, remote }: Clone, missing: number | null): Failure {
  const name = `${remote?.name ?? ''}/${remote?.branch ?? ''}`;
  const count = missing === null ? 'commits' : `${missing} ${missing === 1 ? 'commit' : 'commits'}`;
  return {
    kind: 'unexpected',
    cause: `${name} has ${count} that ${branch} lacks`,
    remedy: 'run `git pull`, and then this again',
  };
}
