import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fail, ok, type Result } from '../../shared/failure.ts';
import { serialiseCommit, withSignature } from '../../shared/objects/commit.ts';
import { objectId, type GitObject, type ObjectId } from '../../shared/objects/object.ts';
import { formatAllowedSigner } from '../../shared/trust/allowed-signers.ts';
import { historyFrom } from '../../shared/trust/history.ts';
import { formatPrivateKey } from '../../shared/trust/ssh-key.ts';
import { signWith } from '../../shared/trust/sshsig.ts';
import { judge } from '../../shared/trust/verdict.ts';
import { failureOf, scratch, valueOf } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';
import { must, run } from '../rig/run.ts';
import { environment } from '../rig/world.ts';
import { keyOf } from '../shared/trust/fixtures.ts';

/** A repository set up to sign as `autark join` sets it up, with Alice as its only admin. */
async function fleet() {
  const cwd = scratch();
  const env = environment(cwd);
  const git = (...args: readonly string[]): Promise<string> => must('git', args, { cwd, env });
  const key = keyOf('alice');
  await git('init', '--quiet', '--initial-branch=main', '.');
  const keyFile = join(cwd, '.git', 'alice');
  await writeFile(keyFile, formatPrivateKey(key.seed, 'alice', 1), { mode: 0o600 });
  await writeFile(`${keyFile}.pub`, `${key.line} alice\n`);
  await writeFile(join(cwd, 'allowed_signers'), `${formatAllowedSigner('alice@example.org', key.line)}\n`);
  for (const [name, value] of [
    ['gpg.format', 'ssh'],
    ['user.signingkey', keyFile],
    ['commit.gpgsign', 'true'],
    ['gpg.ssh.allowedSignersFile', join(cwd, 'allowed_signers')],
  ] as const) {
    await git('config', name, value);
  }
  await git('add', 'allowed_signers');
  const commit = async (subject: string, ...args: readonly string[]): Promise<ObjectId> => {
    await writeFile(join(cwd, subject), subject);
    await git('add', subject);
    await git('commit', '--quiet', '-m', subject, ...args);
    return git('rev-parse', 'HEAD');
  };
  const verdict = async (introduction: ObjectId, head: ObjectId) =>
    judge({ introduction, head, known: new Set() }, historyFrom({ read: (id) => readObject(cwd, env, id) }));
  return { cwd, env, git, commit, verdict, introduction: await commit('introduction') };
}

/** Raw bytes by `git cat-file --batch`, held against their name. */
async function readObject(
  cwd: string,
  env: Readonly<Record<string, string>>,
  id: ObjectId,
): Promise<Result<GitObject>> {
  const type = await must('git', ['cat-file', '-t', id], { cwd, env });
  if (type !== 'commit' && type !== 'tree' && type !== 'blob') throw new Error(`a ${type}`);
  const hex = await must('sh', ['-c', 'git cat-file "$1" "$2" | od -An -v -tx1', 'sh', type, id], {
    cwd,
    env,
  });
  const object: GitObject = { type, bytes: Buffer.from(hex.replace(/\s/g, ''), 'hex') };
  const wrong = { kind: 'unexpected', cause: 'false bytes', where: id, remedy: 'none' } as const;
  return objectId(object) === id ? ok(object) : fail(wrong);
}

describeWith(['ssh-keygen'], 'signed by git, judged by us', () => {
  test('commits, a merge, and a merge of a signed tag', async () => {
    const { git, commit, verdict, introduction } = await fleet();
    await commit('one');
    await git('switch', '--quiet', '--create', 'side', introduction);
    await commit('two', '-m', 'Grüße');
    await git('tag', '--sign', '-m', 'a tag', 'v1');
    await git('switch', '--quiet', 'main');
    await git('merge', '--quiet', '--no-ff', '-m', 'merge', 'v1');
    const head = await git('rev-parse', 'HEAD');
    expect(await git('cat-file', 'commit', head)).toContain('mergetag object');
    expect(valueOf(await verdict(introduction, head)).judged).toHaveLength(3);
  });

  test('what is not signed, and by the printed remedy made good', async () => {
    const { git, env, cwd, commit, verdict, introduction } = await fleet();
    const good = await commit('one');
    const bad = await commit('two', '--no-gpg-sign');
    const head = await commit('three');
    const failure = failureOf(await verdict(introduction, head));
    expect(failure).toMatchObject({ rule: 'S3', where: bad });
    const [, command = ''] = /`(git rebase [^`]*)`/.exec(failure.remedy) ?? [];
    expect(command).toContain(good);
    await must('sh', ['-c', command], { cwd, env });
    const mended = await git('rev-parse', 'HEAD');
    expect(valueOf(await verdict(introduction, mended)).judged).toHaveLength(3);
  });

  test('a merge that a forge’s web page made, and by the printed remedy made good', async () => {
    const { git, env, cwd, commit, verdict, introduction } = await fleet();
    await commit('one');
    await git('switch', '--quiet', '--create', 'side', introduction);
    await commit('two');
    const author = ['-c', 'user.name=GitHub', '-c', 'user.email=noreply@github.com'];
    await git('switch', '--quiet', 'main');
    await git(
      ...author,
      'merge',
      '--quiet',
      '--no-ff',
      '--no-gpg-sign',
      '-m',
      'Merge pull request #1',
      'side',
    );
    const button = await git('rev-parse', 'HEAD');
    const failure = failureOf(await verdict(introduction, button));
    expect(failure).toMatchObject({ rule: 'S3', where: button });
    expect(failure.remedy).toMatch(/a forge’s web page signs with no admin’s key/);
    const [, command = ''] = /`(git rebase [^`]*)`/.exec(failure.remedy) ?? [];
    await must('sh', ['-c', command], { cwd, env });
    const mended = await git('rev-parse', 'HEAD');
    valueOf(await verdict(introduction, mended));
    expect(await git('ls-tree', '--name-only', mended)).toContain('two');
  });

  test('what fell below an accepted revision, and by the printed remedy made good', async () => {
    const { git, commit, verdict, introduction } = await fleet();
    const accepted = await commit('one');
    await git('reset', '--quiet', '--hard', introduction);
    await commit('two');
    await git('merge', '--quiet', '-s', 'ours', '-m', 'join', accepted);
    const head = await git('rev-parse', 'HEAD');
    expect(valueOf(await verdict(introduction, head)).judged).toHaveLength(3);
    expect(await git('ls-tree', '--name-only', head)).toBe('allowed_signers\nintroduction\ntwo');
  });
});

describeWith(['ssh-keygen'], 'signed by us, judged by git', () => {
  test('a commit, and nobody else’s', async () => {
    const { cwd, env, git, introduction } = await fleet();
    const tree = await git('rev-parse', 'HEAD^{tree}');
    const who = { name: 'Zoë', email: 'zoe@example.org', seconds: 1_700_000_000, zone: '+0000' };
    const payload = serialiseCommit({
      tree,
      parents: [introduction],
      author: who,
      committer: who,
      message: 'Grüße\n',
    });
    const verify = async (name: string) => {
      const input = withSignature(payload, signWith(keyOf(name), 'git', payload));
      const id = await must('git', ['hash-object', '-t', 'commit', '-w', '--stdin'], { cwd, env, input });
      return run('git', ['verify-commit', id], { cwd, env });
    };
    const good = await verify('alice');
    expect(good.stderr).toMatch(/^Good "git" signature for alice@example\.org with ED25519 key SHA256:/);
    expect(good.code).toBe(0);
    expect((await verify('mallory')).code).not.toBe(0);
    expect(await git('fsck', '--strict', '--no-dangling')).toBe('');
  });
});
