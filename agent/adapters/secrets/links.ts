import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail, ok, type Failure, type Result } from '../../../shared/failure.ts';
import { isOurs, linkStep, meet } from '../../../shared/secrets/place-plan.ts';
import { namesIn } from '../durable.ts';
import { fileFailure } from '../file-failure.ts';
import { aboutOf, type Layout } from './layout.ts';
import { isThere, lookAt, perform, type LinksOptions, type Step } from './link-steps.ts';
import { readOwned, writeOwned, type Owned } from './paths-list.ts';

/** The links that lead from declared paths to secrets. */

/** A path on the host, as declared, and the secret that it leads to. */
export interface Wanted {
  readonly path: string;
  readonly name: string;
}

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
    const { made, problems } = await linksToMake(layout, owned.value, wanted);
    const { removed, unseen } = await linksToRemove(layout, owned.value, wanted);
    const stays = wanted.map(({ path }) => path);
    const folders = await foldersFor(layout, made, removed);
    const all = {
      paths: [...owned.value.paths, ...stays],
      folders: [...owned.value.folders, ...folders],
    };
    before('the list of paths');
    const noted = await writeOwned(layout, owned.value, all);
    if (!noted.ok) return noted;
    const first = removed.filter(({ path }) => made.some((each) => meet(each.path, path)));
    const steps = [...first, ...made, ...removed.filter((each) => !first.includes(each))];
    const failed = new Map([...unseen, ...(await perform(options, steps))]);
    // What could not be removed is still owned.
    const left = owned.value.paths.filter((each) => failed.has(join(layout.root, each)));
    before('the shorter list of paths');
    const shrunk = await writeOwned(layout, all, { ...all, paths: [...stays, ...left] });
    return shrunk.ok ? ok([...problems, ...failed.values()]) : shrunk;
  } catch (error) {
    return fail(fileFailure(error, 'link secrets to their paths', layout.kept));
  }
}

async function linksToMake(
  { root, link }: Layout,
  { folders }: Owned,
  wanted: readonly Wanted[],
): Promise<{ readonly made: readonly Step[]; readonly problems: readonly string[] }> {
  const made: Step[] = [];
  const problems: string[] = [];
  for (const { path, name } of wanted) {
    const at = await lookAt(join(root, path));
    if (typeof at === 'string') {
      problems.push(at);
      continue;
    }
    const step = { path: join(root, path), target: join(link, name), folders: [] };
    const what = linkStep(at, link, step.target);
    if (what === 'make') made.push(step);
    if (what !== 'taken') continue;
    // The deepest first: a longer path is never above a shorter one.
    const own = folders.filter((each) => each === path || each.startsWith(`${path}/`)).sort(byLength);
    if (own.includes(path)) made.push({ ...step, folders: own.map((each) => join(root, each)) });
    else problems.push(taken(name, path));
  }
  return { made, problems };
}

function byLength(one: string, other: string): number {
  return other.length - one.length;
}

async function linksToRemove(
  { root, link }: Layout,
  { paths }: Owned,
  wanted: readonly Wanted[],
): Promise<{ readonly removed: readonly Step[]; readonly unseen: ReadonlyMap<string, string> }> {
  const removed: Step[] = [];
  const unseen = new Map<string, string>();
  for (const each of paths) {
    if (wanted.some(({ path }) => path === each)) continue;
    const path = join(root, each);
    const at = await lookAt(path);
    if (typeof at === 'string') unseen.set(path, at);
    else if (isOurs(at, link)) removed.push({ path, target: null, folders: [] });
  }
  return { removed, unseen };
}

/** The folders that have to be made for links, as paths below the root; a link that goes may be in the place of one. */
async function foldersFor(
  { root }: Layout,
  made: readonly Step[],
  removed: readonly Step[],
): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const { path } of made) {
    for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
      const isGoing = removed.some((each) => each.path === folder);
      if (!isGoing && (await isThere(folder))) break;
      missing.push(root === '/' ? folder : folder.slice(root.length));
    }
  }
  return missing;
}

function taken(name: string, path: string): string {
  return `${path} is not linked to the secret ${name}: something else is there, and stays; move it away`;
}

/** Why links could not be taken care of, beside what else is said of secrets. */
export function linkSentence({ cause, where, remedy }: Failure): string {
  return `${cause}${where === undefined ? '' : ` (${where})`}; ${remedy}`;
}

/** The links of a set that is placed. Throws the system's error. */
export async function linksOf(layout: Layout, number: number): Promise<readonly Wanted[]> {
  const about = aboutOf(layout, number);
  const wanted: Wanted[] = [];
  for (const file of (await namesIn(about)).sort()) {
    const name = /^(.+)\.path$/.exec(file)?.[1];
    if (name === undefined) continue;
    // A path may end with a blank.
    const path = (await readFile(join(about, file), 'utf8')).replace(/\n$/, '');
    wanted.push({ name, path });
  }
  return wanted;
}

/** Whether each of these paths leads to its secret. */
export async function areLinked({ root, link }: Layout, wanted: readonly Wanted[]): Promise<boolean> {
  for (const { path, name } of wanted) {
    const at = await lookAt(join(root, path));
    if (typeof at === 'string' || linkStep(at, link, join(link, name)) !== 'leave') return false;
  }
  return true;
}
