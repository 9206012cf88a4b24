import { lstat, readFile, readlink, rename, symlink, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { fail, ok, type Failure, type Result } from '../../../shared/failure.ts';
import { isOurs, linkStep, type AtPath } from '../../../shared/secrets/place-plan.ts';
import { makeFolder, namesIn, readIfThere, removeDurably, writeDurably } from '../durable.ts';
import { errorCode, fileFailure } from '../file-failure.ts';
import { askSystemd } from '../systemd.ts';
import { aboutOf, type Layout } from './layout.ts';
import { parseJson } from '../../../shared/json.ts';

/**
 * The links that lead from declared paths to secrets. Which paths have ever had one is in `paths.json`, durably and
 * before the link is made: so a link is found again after a power cut, and when what declared it is long gone.
 */
export interface LinksOptions {
  readonly layout: Layout;
  readonly env: Readonly<Record<string, string>>;
  readonly hasSystemd: boolean;
  readonly before: (effect: string) => void;
}

/** A path on the host, as declared, and the secret that it leads to. */
export interface Wanted {
  readonly path: string;
  readonly name: string;
}

const schema = v.object({ format: v.literal(1), paths: v.array(v.pipe(v.string(), v.startsWith('/'))) });

/**
 * Makes these links and removes all others of ours. What could not be made, in sentences; whoever has something else at
 * such a path keeps it.
 */
export async function placeLinks(
  options: LinksOptions,
  wanted: readonly Wanted[],
): Promise<Result<readonly string[]>> {
  const { layout, before } = options;
  try {
    const owned = await readOwned(layout);
    if (!owned.ok) return owned;
    const stays = wanted.map(({ path }) => path);
    before('the list of paths');
    const noted = await writeOwned(layout, owned.value, [...owned.value, ...stays]);
    if (!noted.ok) return noted;
    const steps: Step[] = [];
    const problems: string[] = [];
    const failed = new Map<string, string>();
    for (const { path, name } of wanted) {
      const at = await lookAt(join(layout.root, path));
      if (typeof at === 'string') {
        problems.push(at);
        continue;
      }
      const target = join(layout.link, name);
      const step = linkStep(at, layout.link, target);
      if (step === 'make') steps.push({ path: join(layout.root, path), target });
      if (step === 'taken') problems.push(taken(name, path));
    }
    for (const path of owned.value.filter((each) => !stays.includes(each))) {
      const at = await lookAt(join(layout.root, path));
      if (typeof at === 'string') failed.set(join(layout.root, path), at);
      else if (isOurs(at, layout.link)) steps.push({ path: join(layout.root, path), target: null });
    }
    for (const [path, said] of await perform(options, steps)) failed.set(path, said);
    // What could not be removed is still owned.
    const left = [...stays, ...owned.value.filter((each) => failed.has(join(layout.root, each)))];
    before('the shorter list of paths');
    const shrunk = await writeOwned(layout, [...owned.value, ...stays], left);
    return shrunk.ok ? ok([...problems, ...failed.values()]) : shrunk;
  } catch (error) {
    return fail(fileFailure(error, 'link secrets to their paths', layout.kept));
  }
}

function taken(name: string, path: string): string {
  return `${path} is not linked to the secret ${name}: something else is there, and stays; move it away`;
}

/** Why links could not be taken care of, beside what else is said of secrets. */
export function linkSentence({ cause, where, remedy }: Failure): string {
  return `${cause}${where === undefined ? '' : ` (${where})`}; ${remedy}`;
}

/**
 * The secrets of a set that is placed whose declared paths do not lead to them, in sentences, and whether the list of paths is
 * of use. Throws the system's error.
 */
export async function unlinked(layout: Layout, number: number): Promise<readonly string[]> {
  const about = aboutOf(layout, number);
  const owned = await readOwned(layout);
  const problems = owned.ok ? [] : [linkSentence(owned.failure)];
  for (const file of (await namesIn(about)).sort()) {
    const name = /^(.+)\.path$/.exec(file)?.[1];
    if (name === undefined) continue;
    const path = (await readFile(join(about, file), 'utf8')).trim();
    const at = await lookAt(join(layout.root, path));
    const isThere = typeof at !== 'string' && at.what === 'link' && at.target === join(layout.link, name);
    if (!isThere) problems.push(`${path} does not lead to the secret ${name}`);
  }
  return problems;
}

/** None, and none written, is no file: a machine without secrets has nothing to look at when it boots. */
async function readOwned({ kept }: Layout): Promise<Result<readonly string[]>> {
  const path = join(kept, 'paths.json');
  const bytes = await readIfThere(path);
  if (!bytes.ok) return bytes;
  if (bytes.value === null) return ok([]);
  const parsed = v.safeParse(schema, parseJson(Buffer.from(bytes.value).toString('utf8')));
  if (parsed.success) return ok(parsed.output.paths);
  return fail({
    kind: 'unexpected',
    cause: 'the list of paths that lead to secrets is damaged',
    where: path,
    remedy: 'remove it; links of secrets that are no longer declared have to be removed by hand then',
  });
}

async function writeOwned(
  { kept }: Layout,
  before: readonly string[],
  after: readonly string[],
): Promise<Result<void>> {
  const [old, paths] = [before, after].map((each) => [...new Set(each)].sort());
  if (JSON.stringify(old) === JSON.stringify(paths)) return ok(undefined);
  const path = join(kept, 'paths.json');
  if (paths?.length === 0) {
    await removeDurably(path);
    return ok(undefined);
  }
  await makeFolder(kept, 0o700);
  return writeDurably(path, Buffer.from(`${JSON.stringify({ format: 1, paths }, null, 2)}\n`), 0o600);
}

/** Or the sentence that says why it cannot be told: then nothing is done there, and others are not kept from theirs. */
async function lookAt(path: string): Promise<AtPath | string> {
  try {
    if (!(await lstat(path)).isSymbolicLink()) return { what: 'other' };
    return { what: 'link', target: await readlink(path) };
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return { what: 'nothing' };
    // Something above it is not a folder: making the link says so.
    if (code === 'ENOTDIR') return { what: 'nothing' };
    if (code === null) throw error;
    return `${path} cannot be looked at: ${code}`;
  }
}

/** A link to make, or, without a target, to remove. */
interface Step {
  readonly path: string;
  readonly target: string | null;
}

/**
 * By path, the sentences for those that failed. Where the agent's own unit sees /etc as read-only, a unit outside of it
 * does the same.
 */
async function perform(
  { layout, env, hasSystemd, before }: LinksOptions,
  steps: readonly Step[],
): Promise<ReadonlyMap<string, string>> {
  const failed = new Map<string, string>();
  for (const step of steps) {
    before(`the link ${step.path}`);
    const problem = await performOne(step);
    if (problem === null) continue;
    // Of a folder that cannot be made for that reason, Node says that it is not there.
    const isReadOnly = problem === 'EROFS' || problem === 'ENOENT';
    const isOutside = isReadOnly && hasSystemd && layout.root === '/';
    const said = isOutside ? await performOutside(step, env) : problem;
    if (said !== null) failed.set(step.path, `${step.path} cannot be ${verbOf(step)}: ${said}`);
  }
  return failed;
}

function verbOf({ target }: Step): string {
  return target === null ? 'removed' : 'linked to its secret';
}

async function performOne({ path, target }: Step): Promise<string | null> {
  const draft = draftOf(path);
  try {
    if (target === null) {
      await unlink(path);
      return null;
    }
    await makeParents(dirname(path));
    await unlink(draft).catch(() => undefined);
    await symlink(target, draft);
    await rename(draft, path);
    return null;
  } catch (error) {
    const code = errorCode(error);
    return code ?? (error instanceof Error ? error.message : String(error));
  }
}

/** Always the same: what a crash leaves is replaced by the next attempt. */
function draftOf(path: string): string {
  return `${path}.autark-new`;
}

async function makeParents(folder: string): Promise<void> {
  // Where the folder is there on a read-only file system, mkdir(2) need not say so.
  if (await isThere(folder)) return;
  await makeFolder(folder, 0o755);
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

const outside = `set -eu
umask 022
path=$1 target=$2
if [ -z "$target" ]; then exec rm -f -- "$path"; fi
mkdir -p -- "$(dirname -- "$path")"
ln -sfn -- "$target" "$path.autark-new"
mv -T -- "$path.autark-new" "$path"`;

async function performOutside({ path, target }: Step, env: LinksOptions['env']): Promise<string | null> {
  const service = ['--quiet', '--wait', '--pipe', '--collect', '--expand-environment=no'];
  const call = [...service, `--setenv=PATH=${env['PATH'] ?? ''}`, '--', '/bin/sh', '-c', outside];
  const ran = await askSystemd('systemd-run', [...call, 'link', path, target ?? ''], env);
  return ran.ok ? null : ran.failure;
}
