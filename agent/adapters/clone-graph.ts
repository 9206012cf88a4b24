import { fail, ok, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { ChainRange, Clone } from '../clone-ports.ts';
import { gitFailure, type CloneGit } from './clone-git.ts';

/** `git rev-list --parents`: `COMMIT PARENT…`, and nothing after a root. */
export async function firstParents(
  git: CloneGit,
  tips: readonly ObjectId[],
  { limit, without = [] }: ChainRange = {},
): ReturnType<Clone['firstParents']> {
  if (tips.length === 0) return ok(new Map());
  const most = limit === undefined ? [] : [`--max-count=${limit}`];
  const listed = await list(git, ['--first-parent', ...most], [...tips, ...without.map((id) => `^${id}`)]);
  return listed.ok ? ok(new Map(listed.value.map(([id, parent]) => [id, parent ?? null]))) : listed;
}

/** Without a commit that all have in common (git-merge-base(1) exits with 1), all that lies below them. */
export async function between(git: CloneGit, tips: readonly ObjectId[]): ReturnType<Clone['between']> {
  if (tips.length === 0) return ok(new Map());
  const base = await git(['merge-base', '--octopus', ...tips]);
  const common = base.ok ? base.value.toString('utf8').split('\n').slice(0, 1) : [];
  const without = common.filter((id) => id !== '').map((id) => `^${id}`);
  const listed = await list(git, ['--topo-order'], [...tips, ...without]);
  return listed.ok ? ok(new Map(listed.value.map(([id, ...parents]) => [id, parents]))) : listed;
}

type Line = readonly [ObjectId, ...ObjectId[]];

async function list(
  git: CloneGit,
  options: readonly string[],
  revisions: readonly string[],
): Promise<Result<readonly Line[]>> {
  const listed = await git(['rev-list', ...options, '--parents', '--stdin'], {
    input: `${revisions.join('\n')}\n`,
  });
  if (!listed.ok) return fail(gitFailure('walk the history', listed.failure));
  const lines = listed.value.toString('utf8').split('\n');
  return ok(lines.filter((line) => line !== '').map(parseLine));
}

function parseLine(line: string): Line {
  const [id = '', ...parents] = line.split(' ');
  return [id, ...parents];
}
