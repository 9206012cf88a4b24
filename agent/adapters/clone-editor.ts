import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { serialiseCommit, withSignature } from '../../shared/objects/commit.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { AdminKey, CloneChange, CloneEditor, WholeTree } from '../clone-ports.ts';
import { gitFailure, type CloneGit, type CloneSurroundings } from './clone-git.ts';
import { installHook } from './clone-hook.ts';
import { identityOf } from './clone-identity.ts';
import { findAdminKey, identityFile } from './clone-key.ts';
import { placesFor, writeOut } from './clone-write.ts';
import type { OpenedClone } from './clone.ts';

type Env = CloneSurroundings['env'];

/** The writing half of a clone. Signing is done in the process where the key allows it. */
export function editorOf(
  opened: OpenedClone,
  { env, cwd }: Pick<CloneSurroundings, 'env' | 'cwd'>,
): CloneEditor {
  const { clone, git, config, gitDirectory } = opened;
  return {
    clone,
    adminKey: (file) => findAdminKey(file, { env, config, cwd, gitDirectory }),
    identityFile: (file) => identityFile(file, { env, config, cwd }),
    async uncommitted(paths) {
      const listed = await git([
        'status',
        '--porcelain=v1',
        '-z',
        '--no-renames',
        '--ignored',
        '--untracked-files=all',
        '--',
        ...paths,
      ]);
      if (!listed.ok) return fail(gitFailure('look for changes', listed.failure));
      const entries = listed.value.toString('utf8').split('\0');
      return ok(entries.filter((entry) => entry !== '').map((entry) => entry.slice(3)));
    },
    nameUnbornBranch: (branch) =>
      quietly(git(['symbolic-ref', 'HEAD', `refs/heads/${branch}`]), 'name the branch'),
    commit: (change, key) => commit(opened, env, change, key),
    commitTree: (whole, key) => commitTree(opened, env, whole, key),
    push: (branch, instead) => push(opened, branch, instead),
    installHook: (name, script) => installHook(opened, name, script),
    async difference(from, to, files = []) {
      const shape =
        files.length === 0
          ? ['--stat=100']
          : ['--text', '--unified=3', '--no-ext-diff', '--no-textconv', '--no-color-moved'];
      const shown = await git(['diff', '--no-color', ...shape, from, to, '--', ...files]);
      return shown.ok
        ? ok(shown.value.toString('utf8'))
        : fail(gitFailure('show the difference', shown.failure));
    },
    async configure(settings) {
      // One after the other: git locks the file.
      for (const [name, value] of Object.entries(settings)) {
        const set = await quietly(git(['config', '--local', name, value]), `set ${name}`);
        if (!set.ok) return set;
      }
      return ok(undefined);
    },
  };
}

/** Writes the objects first, moves the branch second, and touches the person's files last. */
async function commit(
  opened: OpenedClone,
  env: Env,
  change: CloneChange,
  key: AdminKey,
): Promise<Result<ObjectId>> {
  const { clone, git, gitDirectory } = opened;
  const places = await placesFor(clone.root, change.files);
  if (!places.ok) return places;
  const folder = await mkdtemp(join(gitDirectory, 'autark-'));
  try {
    const tree = await treeWith(git, clone.head, change.files, join(folder, 'index'));
    if (!tree.ok) return tree;
    const { message } = change;
    const id = await writeCommit(opened, env, { tree: tree.value, parent: clone.head, message }, key);
    if (!id.ok) return id;
    const subject = message.split('\n')[0] ?? '';
    const moved = await quietly(
      git(['update-ref', '-m', `commit: ${subject}`, 'HEAD', id.value, clone.head ?? '0'.repeat(40)]),
      'move the branch',
    );
    if (!moved.ok) return moved;
    const written = await writeOut(clone.root, change.files);
    if (!written.ok) return written;
    const paths = change.files.map(({ path }) => path);
    const refreshed = await quietly(
      git(['update-index', '--add', '--remove', '--', ...paths]),
      'refresh the index',
    );
    return refreshed.ok ? id : refreshed;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** git-reset(1): `--keep` moves branch, index and work tree, and does nothing at all where local changes would go. */
async function commitTree(
  opened: OpenedClone,
  env: Env,
  whole: WholeTree,
  key: AdminKey,
): Promise<Result<ObjectId>> {
  const id = await writeCommit(opened, env, whole, key);
  if (!id.ok) return id;
  const moved = await opened.git(['reset', '--quiet', '--keep', id.value]);
  return moved.ok ? id : fail(inTheWay(opened.clone.root, moved.failure));
}

async function writeCommit(
  { git, config }: OpenedClone,
  env: Env,
  { tree, parent, message }: Omit<WholeTree, 'parent'> & { readonly parent: ObjectId | null },
  key: AdminKey,
): Promise<Result<ObjectId>> {
  const parents = parent === null ? [] : [parent];
  const payload = serialiseCommit({ tree, parents, ...identityOf(env, config, key.owner), message });
  const signature = await key.sign(payload);
  if (!signature.ok) return signature;
  const input = withSignature(payload, signature.value);
  return answer(git(['hash-object', '-t', 'commit', '-w', '--stdin'], { input }), 'write the commit');
}

/** The last commit's tree with these files in it, by way of an index of its own. */
async function treeWith(
  git: CloneGit,
  head: ObjectId | null,
  files: CloneChange['files'],
  index: string,
): Promise<Result<ObjectId>> {
  const own = { env: { GIT_INDEX_FILE: index } };
  const started = await quietly(git(['read-tree', head ?? '--empty'], own), 'read the last commit');
  if (!started.ok) return started;
  for (const { path, text } of files) {
    if (text === null) {
      const removed = await quietly(
        git(['update-index', '--force-remove', '--', path], own),
        `remove ${path}`,
      );
      if (!removed.ok) return removed;
      continue;
    }
    const blob = await answer(git(['hash-object', '-w', '--stdin'], { input: text }), `write ${path}`);
    if (!blob.ok) return blob;
    const added = await quietly(
      git(['update-index', '--add', '--cacheinfo', `100644,${blob.value},${path}`], own),
      `add ${path}`,
    );
    if (!added.ok) return added;
  }
  return answer(git(['write-tree'], own), 'write the tree');
}

async function push(
  { clone, git, config }: OpenedClone,
  branch: string,
  instead: ObjectId | undefined,
): Promise<Result<void>> {
  const { remote } = clone;
  if (remote === null) return fail(noRemote(clone.root));
  const upstream = config.has(`branch.${branch}.remote`) ? [] : ['--set-upstream'];
  const lease = instead === undefined ? [] : [`--force-with-lease=refs/heads/${branch}:${instead}`];
  const options = ['--quiet', ...upstream, ...lease];
  const pushed = await git(['push', ...options, remote.name, `HEAD:refs/heads/${branch}`]);
  return pushed.ok
    ? ok(undefined)
    : fail(notPushed(remote, [...lease, remote.name, `HEAD:refs/heads/${branch}`], pushed.failure));
}

async function quietly(call: ReturnType<CloneGit>, doing: string): Promise<Result<void>> {
  const done = await call;
  return done.ok ? ok(undefined) : fail(gitFailure(doing, done.failure));
}

async function answer(call: ReturnType<CloneGit>, doing: string): Promise<Result<string>> {
  const done = await call;
  return done.ok ? ok(done.value.toString('utf8').trim()) : fail(gitFailure(doing, done.failure));
}

function noRemote(where: string): Failure {
  return {
    kind: 'unexpected',
    cause: 'the commit is made but not pushed: this clone has no remote',
    where,
    remedy: 'run `git remote add origin URL`, and `git push`',
  };
}

function inTheWay(where: string, said: string): Failure {
  return {
    kind: 'unexpected',
    cause: 'files here have changes of your own that the new commit would write over; nothing was changed',
    where,
    remedy: 'commit them elsewhere, or put them away with `git stash`, and run this again',
    detail: said,
  };
}

function notPushed(
  remote: { readonly name: string; readonly url: string },
  push: readonly string[],
  said: string,
): Failure {
  return {
    kind: 'push-refused',
    cause: `the commit is made, but ${remote.name} did not take it`,
    where: remote.url,
    remedy: `run \`git push ${push.join(' ')}\` once that is mended; git’s own words follow`,
    detail: said,
  };
}
