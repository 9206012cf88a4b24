import { withoutCredentials } from '../../shared/credentials.ts';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Clone, RemoteRef } from '../clone-ports.ts';
import { gitFailure, type CloneGit } from './clone-git.ts';
import { fetchArguments } from './git/fetch-arguments.ts';
import { localPath } from './git/remote.ts';

type Remote = NonNullable<Clone['remote']>;

/** Whence a clone knows the fleet: mostly one remote for both. */
export interface Sources {
  readonly configuration: Remote;
  /** The remote with the state branches and the waiting machines; `null` when the setting names one that is not there. */
  readonly state: Pick<Remote, 'name' | 'url' | 'isLocal'> | null;
  /** What `autark.stateRemote` says, when it says anything else than the first. */
  readonly named: string | undefined;
}

/**
 * The branch's upstream remote, else `origin`; and the one that a person named for states with
 * `git config autark.stateRemote NAME`, as hosts have it in `stateRemote` of their agent.yaml.
 */
export function sourcesOf(branch: string, config: ReadonlyMap<string, string>): Sources | null {
  const upstream = config.get(`branch.${branch}.remote`);
  const name = upstream === undefined || upstream === '.' ? 'origin' : upstream;
  const merge = upstream === name ? config.get(`branch.${branch}.merge`) : undefined;
  const found = remoteNamed(name, config);
  if (found === null) return null;
  const configuration = { ...found, branch: merge?.replace(/^refs\/heads\//, '') ?? branch };
  const named = config.get('autark.stateremote');
  if (named === undefined || named === name) return { configuration, state: configuration, named: undefined };
  return { configuration, state: remoteNamed(named, config), named };
}

function remoteNamed(name: string, config: ReadonlyMap<string, string>): Sources['state'] {
  const url = config.get(`remote.${name}.url`);
  return url === undefined ? null : { name, url: withoutCredentials(url), isLocal: localPath(url) !== null };
}

/** The remote that people are told of. Asking often burdens nobody only where all of it is on this machine. */
export function shownOf({ configuration, state }: Sources): Remote {
  return { ...configuration, isLocal: configuration.isLocal && state?.isLocal !== false };
}

/**
 * Globs, because one exact refspec that matches nothing fails the whole fetch: `main*` also takes `main-old`,
 * which does no harm in a person's clone.
 */
export async function fetchAll(git: CloneGit, sources: Sources): Promise<Result<void>> {
  const { configuration, state, named } = sources;
  if (state === null) return fail(noStateRemote(named));
  const [main, states] = [[`${configuration.branch}*`], ['state/*', 'enroll/*']];
  if (named === undefined) return fetch(git, configuration, [...main, ...states]);
  // One after the other: pruning takes a lock. The states first, or a host would seem to know more than the branch.
  const fetched = await fetch(git, state, states);
  return fetched.ok ? fetch(git, configuration, main) : fetched;
}

async function fetch(
  git: CloneGit,
  remote: Pick<Remote, 'name' | 'url'>,
  globs: readonly string[],
): Promise<Result<void>> {
  const refspecs = globs.map((glob) => `+refs/heads/${glob}:refs/remotes/${remote.name}/${glob}`);
  const fetched = await git(fetchArguments(remote.name, ...refspecs));
  return fetched.ok ? ok(undefined) : fail(unreachable(remote, fetched.failure));
}

/** What `fetchAll` fetches, as last seen, by the names that the servers have for it. */
export async function listRefs(git: CloneGit, sources: Sources): Promise<Result<readonly RemoteRef[]>> {
  const { configuration, state, named } = sources;
  if (state === null) return fail(noStateRemote(named));
  const below = [configuration, state].map(({ name }) => `refs/remotes/${name}/`);
  const [ours = '', theirs = ''] = below;
  const places = [`${ours}${configuration.branch}`, `${theirs}state/`, `${theirs}enroll/`];
  const listed = await git(['for-each-ref', '--format=%(objectname) %(refname)', ...places]);
  if (!listed.ok) return fail(gitFailure('list refs', listed.failure));
  const lines = listed.value
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
  return ok(
    lines.map((line) => {
      const ref = line.slice(41);
      const folder = `${ref}/`.startsWith(`${places[0] ?? ''}/`) ? ours : theirs;
      return { id: line.slice(0, 40), name: ref.slice(folder.length) };
    }),
  );
}

function noStateRemote(name = ''): Failure {
  return {
    kind: 'unexpected',
    cause: `autark.stateRemote names ${name}, and this clone has no such remote`,
    where: 'git config autark.stateRemote',
    remedy: `run \`git remote add ${name} URL\`, or \`git config --unset autark.stateRemote\``,
  };
}

function unreachable(remote: Pick<Remote, 'name' | 'url'>, said: string): Failure {
  return {
    kind: 'unreachable',
    cause: `the remote ${remote.name} could not be fetched from`,
    where: remote.url,
    remedy: `mend what git names below until \`git fetch ${remote.name}\` works, and run the command again`,
    detail: said,
  };
}
