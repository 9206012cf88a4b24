import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openGit, type GitPlace } from '../../agent/adapters/git/git.ts';
import { removeTree } from '../../agent/adapters/remove-tree.ts';
import type { Git } from '../../agent/git-ports.ts';
import type { Bounds } from '../../agent/ports.ts';

const identity = {
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.org',
  GIT_AUTHOR_DATE: '2026-01-01T00:00:00Z',
  GIT_COMMITTER_DATE: '2026-01-01T00:00:00Z',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  HOME: '/nonexistent',
};

/** A bare repository, and the agent's own Git directory beside it; both go when the test ends. */
export interface GitRig {
  readonly folder: string;
  readonly remote: string;
  readonly directory: string;
  readonly git: Git;
  /** Opens the door another time, in another way. */
  open(more?: Partial<GitPlace>): Git;
  /** Runs the real git in the remote. */
  at(args: readonly string[], input?: string | Uint8Array): string;
  /** A commit with one file, on these parents, put on a branch. */
  commit(branch: string, text: string, parents?: readonly string[]): string;
}

export function bounds(timeout = 30_000, signal = new AbortController().signal): Bounds {
  return { timeout, signal };
}

export function gitRig(): GitRig {
  const folder = mkdtempSync(join(tmpdir(), 'autark-git-'));
  const remote = join(folder, 'fleet.git');
  const directory = join(folder, 'own', 'git');
  const opened: Git[] = [];
  onTestFinished(async () => {
    await Promise.all(opened.map((git) => git.close()));
    await removeTree(folder);
  });
  const env = { ...identity, PATH: process.env['PATH'] ?? '' };
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', remote], { env });
  const at: GitRig['at'] = (args, input) =>
    execFileSync('git', ['-C', remote, ...args], { env, input: input ?? '', stdio: ['pipe', 'pipe', 'pipe'] })
      .toString()
      .trim();
  const open: GitRig['open'] = (more = {}) => {
    const access = { knownHosts: [join(folder, 'known_hosts')] };
    const git = openGit({ directory, remote, branch: 'main', host: 'web1', access, env, ...more });
    opened.push(git);
    return git;
  };
  return {
    folder,
    remote,
    directory,
    git: open(),
    open,
    at,
    commit(branch, text, parents = []) {
      const blob = at(['hash-object', '-w', '--stdin'], text);
      const tree = at(['mktree'], `100644 blob ${blob}\tfile\n`);
      const id = at(['commit-tree', '-m', text, ...parents.flatMap((parent) => ['-p', parent]), tree]);
      at(['update-ref', `refs/heads/${branch}`, id]);
      return id;
    },
  };
}

/** Fetched objects as single files, so that each can be damaged alone. */
export function loosen(rig: GitRig): void {
  const packs = join(rig.directory, 'objects/pack');
  const env = { PATH: process.env['PATH'] ?? '', GIT_DIR: rig.directory };
  for (const name of readdirSync(packs)) {
    const bytes = readFileSync(join(packs, name));
    rmSync(join(packs, name));
    if (name.endsWith('.pack')) execFileSync('git', ['unpack-objects', '-q'], { env, input: bytes });
  }
}

/** Where such a file is. */
export function loosePath(rig: GitRig, id: string): string {
  return join(rig.directory, 'objects', id.slice(0, 2), id.slice(2));
}
