import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openGit } from '../agent/adapters/git/git.ts';
import { must } from '../test/rig/run.ts';
import type { World } from '../test/rig/world.ts';
import { compare, report } from './rounds.ts';
import { makeScene } from './scene.ts';
import { growHistory } from './signed-history.ts';

const commits = 10_000;
/** Commits that git itself verifies: a program or two for each of them. */
const sample = 200;

const measured = join(import.meta.dirname, 'history-measured.js');
/** One core for all that a measurement starts: node and the git that it reads from take turns. */
const oneCore = ['--cpu-list', '0'];

/** Judging a history that a host has never seen, beside nothing but the signatures in it. */
export async function history(): Promise<void> {
  const world = await makeScene([]);
  try {
    const introduction = await world.git(['rev-parse', 'HEAD']);
    await world.commit(files, 'Begin');
    await growHistory(world, commits);
    const head = await fetchAll(world);
    const measure = async (what: string): Promise<number> => {
      const call = [...oneCore, process.execPath, measured, what, world.dir, introduction, head];
      return Number(await must('taskset', call, { env: world.env }));
    };
    const rows = await compare(
      [
        { name: 'bare loop of crypto.verify', measure: () => measure('floor') },
        { name: 'the verdict of the agent', measure: () => measure('verdict') },
        { name: `git verify-commit, of ${sample}`, measure: () => verifyCommits(world, head) },
      ],
      5,
    );
    report(`A history of ${commits} commits, one core, each commit`, 'µs', rows, ['floor × 1.5']);
  } finally {
    await world.remove();
  }
}

/** As many entries in the root of the tree as a fleet of a few machines has. */
const files = Object.fromEntries(
  ['flake.nix', 'flake.lock', 'README.md', 'hosts/web1/build', 'modules/base.nix', 'users/alice.nix'].map(
    (path) => [path, `${path}\n`],
  ),
);

/** Into the agent's own Git directory, as the agent does. */
async function fetchAll({ dir, remote, env }: World): Promise<string> {
  const access = { knownHosts: [join(dir, 'known_hosts')] };
  const git = openGit({ directory: join(dir, 'own.git'), remote, branch: 'main', host: 'web1', access, env });
  const head = await git.fetchHead({ timeout: 600_000, signal: new AbortController().signal });
  await git.close();
  if (!head.ok) throw new Error(head.failure.cause);
  return head.value;
}

/** All in one call, which is how git is quickest. It is told one list of signers: both admins of these commits. */
async function verifyCommits({ dir, env }: World, head: string): Promise<number> {
  const directory = join(dir, 'own.git');
  const git = (...args: readonly string[]): Promise<string> =>
    must('git', ['-C', directory, ...args], { env });
  const ids = (await git('rev-list', `--max-count=${sample}`, head)).split('\n');
  const signers = join(dir, 'signers');
  await writeFile(signers, await git('show', `${head}~50:allowed_signers`));
  const config = ['-c', 'gpg.format=ssh', '-c', `gpg.ssh.allowedSignersFile=${signers}`];
  const begin = performance.now();
  await must('taskset', [...oneCore, 'git', '-C', directory, ...config, 'verify-commit', ...ids], { env });
  return ((performance.now() - begin) * 1000) / ids.length;
}
