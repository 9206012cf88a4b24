import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { serialiseCommit, withSignature } from '../../shared/objects/commit.ts';
import {
  formatPrivateKey,
  formatPublicKey,
  parsePrivateKey,
  type PrivateKey,
} from '../../shared/trust/ssh-key.ts';
import { signWith } from '../../shared/trust/sshsig.ts';
import { must, run, type RanProgram } from './run.ts';

/** A file's text, an executable file's, or `null` to remove it. */
export type FileChange = string | { readonly executable: string } | null;

/**
 * A small world for tests, the demo and benchmarks: a bare repository, an admin's clone and keys, below one
 * temporary folder. Nothing of the user's own Git or SSH configuration is used, and no ssh-keygen.
 */
export interface World {
  readonly dir: string;
  readonly remote: string;
  readonly clone: string;
  readonly env: Readonly<Record<string, string>>;
  readonly adminKey: string;
  /** Runs the built program in the clone. */
  autark(args: readonly string[], options?: { readonly input?: string }): Promise<RanProgram>;
  /** The same, where it must succeed: its standard output. */
  mustAutark(args: readonly string[]): Promise<string>;
  /** Runs git in the clone. */
  git(args: readonly string[]): Promise<string>;
  /** Commits on top of the clone's branch, signed by the admin, and pushes, to `main` if not told. The new revision. */
  commit(files: Readonly<Record<string, FileChange>>, subject: string, ref?: string): Promise<string>;
  /** The folder to give as `--root` for a host. */
  root(host: string): string;
  remove(): Promise<void>;
}

/** The built program. From `dist/test/rig` as well as from `test/rig`. */
export const program = join(
  import.meta.dirname,
  import.meta.dirname.includes('/dist/') ? '../../agent/main.js' : '../../dist/agent/main.js',
);

/** @param searchPath a `PATH`, if not the one that the test has */
export async function makeWorld(name = 'autark-test', searchPath?: string): Promise<World> {
  const dir = await mkdtemp(resolve(tmpdir(), `${name}-`));
  const env = { ...environment(dir), ...(searchPath === undefined ? {} : { PATH: searchPath }) };
  const remote = join(dir, 'fleet.git');
  const clone = join(dir, 'clone');
  const adminKey = join(dir, 'admin_key');
  const admin = await writeKey(adminKey, 'alice@example.org');
  await must('git', ['init', '--quiet', '--bare', '--initial-branch=main', remote], { env });
  await must('git', ['clone', '--quiet', remote, clone], { env });
  const git = (args: readonly string[]): Promise<string> => must('git', args, { cwd: clone, env });
  const autark: World['autark'] = (args, options = {}) =>
    run(process.execPath, [program, ...args], { cwd: clone, env, ...options });
  return {
    dir,
    remote,
    clone,
    env,
    adminKey,
    autark,
    git,
    async mustAutark(args) {
      return must(process.execPath, [program, ...args], { cwd: clone, env });
    },
    async commit(files, subject, ref = 'refs/heads/main') {
      await git(['pull', '--quiet', '--ff-only']);
      for (const [path, change] of Object.entries(files)) await writeChange(join(clone, path), change);
      const id = await commitSigned(clone, env, admin, subject);
      await git(['push', '--quiet', 'origin', `HEAD:${ref}`]);
      return id;
    },
    root: (host) => join(dir, 'hosts', host),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

/** An environment that holds nothing of the user's. */
export function environment(home: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: home,
    LC_ALL: 'C.UTF-8',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Alice',
    GIT_AUTHOR_EMAIL: 'alice@example.org',
    GIT_COMMITTER_NAME: 'Alice',
    GIT_COMMITTER_EMAIL: 'alice@example.org',
  };
}

/** Writes a new unencrypted private key as ssh-keygen would. */
export async function writeKey(path: string, comment: string): Promise<PrivateKey> {
  const text = formatPrivateKey(randomBytes(32), comment, randomBytes(4).readUInt32BE(0));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode: 0o600 });
  const parsed = parsePrivateKey(text);
  if (!parsed.ok) throw new Error('a key just made cannot be read');
  return parsed.value;
}

/** The file that goes with it, as ssh-keygen writes it. */
export async function writePublicKey(path: string, { publicBlob, comment }: PrivateKey): Promise<void> {
  await writeFile(path, `${formatPublicKey(publicBlob)} ${comment}\n`);
}

/** Commits the whole work tree, signed in process. */
export async function commitSigned(
  cwd: string,
  env: Readonly<Record<string, string>>,
  key: PrivateKey,
  subject: string,
): Promise<string> {
  await must('git', ['add', '--all'], { cwd, env });
  const tree = await must('git', ['write-tree'], { cwd, env });
  const parent = await must('git', ['rev-parse', 'HEAD'], { cwd, env });
  const who = {
    name: 'Alice',
    email: 'alice@example.org',
    seconds: Math.floor(Date.now() / 1000),
    zone: '+0000',
  };
  const payload = serialiseCommit({
    tree,
    parents: [parent],
    author: who,
    committer: who,
    message: `${subject}\n`,
  });
  const input = withSignature(payload, signWith(key, 'git', payload));
  const id = await must('git', ['hash-object', '-t', 'commit', '-w', '--stdin'], { cwd, env, input });
  await must('git', ['update-ref', 'HEAD', id], { cwd, env });
  return id;
}

async function writeChange(path: string, change: FileChange): Promise<void> {
  if (change === null) return rm(path, { recursive: true, force: true });
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, typeof change === 'string' ? change : change.executable);
  await chmod(path, typeof change === 'string' ? 0o644 : 0o755);
}
