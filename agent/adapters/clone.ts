import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { Clone } from '../clone-ports.ts';
import { between, firstParents } from './clone-graph.ts';
import { cloneGit, gitFailure, type CloneGit, type CloneSurroundings } from './clone-git.ts';
import { fileMemory } from './clone-memory.ts';
import { readObjects, sizesOf } from './clone-objects.ts';
import { fetchAll, listRefs, shownOf, sourcesOf, type Sources } from './clone-sources.ts';

/** A clone that was opened, with what its editor needs besides. */
export interface OpenedClone {
  readonly clone: Clone;
  readonly git: CloneGit;
  readonly gitDirectory: string;
  /** git's configuration as it stands for this clone; keys as git lists them, section and name in lower case. */
  readonly config: ReadonlyMap<string, string>;
}

export interface Openness {
  /** Whether it will do without a branch, as it is in a pipeline of a forge. */
  readonly mayBeDetached: boolean;
}

/** The clone around the current directory. Spawns two gits at once and no more, once it has a commit. */
export async function openClone(
  surroundings: CloneSurroundings,
  { mayBeDetached }: Openness = { mayBeDetached: false },
): Promise<Result<OpenedClone>> {
  const git = cloneGit(surroundings);
  const [located, settings] = await Promise.all([locate(git), git(['config', '--list', '-z'])]);
  if (!located.ok) return fail(noClone(located.failure, surroundings.cwd));
  const { inside, gitDirectory, root, head, ref } = located.value;
  if (!inside) return fail(noClone('outside the work tree', surroundings.cwd));
  const branch = /^refs\/heads\/(.*)$/.exec(ref)?.[1] ?? '';
  if (branch === '' && !mayBeDetached) return fail(detached(root));
  const config = parseConfig(settings.ok ? settings.value.toString('utf8') : '');
  const env = withIdentity(surroundings.env, config);
  const named = cloneGit({ ...surroundings, cwd: root, env });
  const state = { root, branch, head };
  const clone = cloneOf(named, { state, gitDirectory, env }, config);
  return ok({ clone, git: named, gitDirectory, config });
}

interface Located {
  readonly inside: boolean;
  readonly gitDirectory: string;
  readonly root: string;
  readonly head: ObjectId | null;
  /** What HEAD stands for: a branch, or `HEAD` itself when it is detached. */
  readonly ref: string;
}

/** Answers come in the order of the questions (git-rev-parse(1)); HEAD has none before the first commit. */
async function locate(git: CloneGit): Promise<Result<Located, string>> {
  const places = ['rev-parse', '--is-inside-work-tree', '--absolute-git-dir', '--show-toplevel'];
  const asked = await git([...places, 'HEAD', '--symbolic-full-name', 'HEAD']);
  if (asked.ok) return ok(locatedIn(asked.value.toString('utf8')));
  if (!asked.failure.includes("ambiguous argument 'HEAD'")) return asked;
  const [place, branch] = await Promise.all([git(places), git(['symbolic-ref', '-q', 'HEAD'])]);
  if (!place.ok) return place;
  const ref = branch.ok ? branch.value.toString('utf8').trim() : '';
  return ok({ ...locatedIn(place.value.toString('utf8')), head: null, ref });
}

function locatedIn(answers: string): Located {
  const [inside, gitDirectory = '', root = '', head = null, ref = ''] = answers.split('\n');
  return { inside: inside === 'true', gitDirectory, root, head, ref };
}

interface Whereabouts {
  readonly state: Pick<Clone, 'root' | 'branch' | 'head'>;
  readonly gitDirectory: string;
  readonly env: CloneSurroundings['env'];
}

function cloneOf(
  git: CloneGit,
  { state, gitDirectory, env }: Whereabouts,
  config: ReadonlyMap<string, string>,
): Clone {
  const sources = sourcesOf(state.branch, config);
  const needed = (): Result<Sources> => (sources === null ? fail(noRemote(state.root)) : ok(sources));
  const remote = sources === null ? null : shownOf(sources);
  return {
    ...state,
    remote,
    async fetch() {
      const found = needed();
      return found.ok ? fetchAll(git, found.value) : found;
    },
    async remoteRefs() {
      const found = needed();
      return found.ok ? listRefs(git, found.value) : found;
    },
    introduction: config.get('autark.introduction') ?? null,
    memory: fileMemory(gitDirectory, remote?.branch ?? state.branch),
    read: (names) => readObjects(git, names),
    sizes: (ids) => sizesOf(git, ids),
    async objects() {
      const { openCloneObjects } = await import('./clone-walk.ts');
      return openCloneObjects(state.root, env);
    },
    firstParents: (tips, range) => firstParents(git, tips, range),
    between: (tips) => between(git, tips),
    async distance(from, to) {
      if (from === to) return 0;
      const counted = await git(['rev-list', '--count', `${from}..${to}`]);
      return counted.ok ? Number(counted.value.toString('utf8')) : null;
    },
  };
}

/** `git config --list -z`: `KEY LF VALUE NUL`; the last one wins. */
function parseConfig(text: string): ReadonlyMap<string, string> {
  const entries = text.split('\0').filter((entry) => entry !== '');
  return new Map(
    entries.map((entry) => {
      const end = entry.indexOf('\n');
      return end < 0 ? ([entry, 'true'] as const) : ([entry.slice(0, end), entry.slice(end + 1)] as const);
    }),
  );
}

/**
 * git writes a committer into the reflog, and without one it resolves the machine's own name, which takes ten
 * seconds when the network is down.
 */
function withIdentity(
  env: CloneSurroundings['env'],
  config: ReadonlyMap<string, string>,
): CloneSurroundings['env'] {
  const has = (key: string, variable: string) => config.has(key) || env[variable] !== undefined;
  return {
    ...env,
    ...(has('user.name', 'GIT_COMMITTER_NAME') ? {} : { GIT_COMMITTER_NAME: 'autark' }),
    ...(has('user.email', 'GIT_COMMITTER_EMAIL') ? {} : { GIT_COMMITTER_EMAIL: 'autark@localhost' }),
  };
}

function noClone(said: string, cwd: string): Failure {
  const where = cwd;
  if (/not a git repository/i.test(said)) {
    return {
      kind: 'unexpected',
      cause: 'this is not a Git repository',
      where,
      remedy: 'go to your clone of the fleet repository, or make one with `git clone`',
    };
  }
  if (/work tree/i.test(said)) {
    return {
      kind: 'unexpected',
      cause: 'this repository has no work tree here',
      where,
      remedy: 'run this in a clone, not in a bare repository or inside .git',
    };
  }
  return gitFailure('open this repository', said, where);
}

function detached(where: string): Failure {
  return {
    kind: 'unexpected',
    cause: 'no branch is checked out here',
    where,
    remedy: 'run `git switch main`, or whatever your fleet’s branch is called',
  };
}

function noRemote(where: string): Failure {
  return {
    kind: 'unexpected',
    cause: 'this clone has no remote',
    where,
    remedy: 'run `git remote add origin URL`',
  };
}
