import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { writePack } from '../../agent/adapters/git/pack.ts';
import { type GitObject, objectId } from '../../shared/objects/object.ts';
import { describeWith } from '../rig/needs.ts';
import { must } from '../rig/run.ts';
import { failureOf, valueOf } from '../agent/adapters/scratch.ts';
import { bounds, gitRig, loosen, loosePath } from './git-rig.ts';

describe('the configuration branch', () => {
  test.each([
    ['a path', (path: string) => path],
    ['a file URL', (path: string) => `file://${path}`],
  ])('is fetched from %s, and again when it moved', async (_name, remoteOf) => {
    const rig = gitRig();
    const git = rig.open({ remote: remoteOf(rig.remote) });
    const first = rig.commit('main', 'one');
    expect(valueOf(await git.fetchHead(bounds()))).toBe(first);
    expect(valueOf(await git.fetchHead(bounds()))).toBe(first);
    const second = rig.commit('main', 'two', [first]);
    expect(valueOf(await git.fetchHead(bounds()))).toBe(second);
  });

  test('that was forced elsewhere is seen there', async () => {
    const rig = gitRig();
    rig.commit('main', 'two', [rig.commit('main', 'one')]);
    valueOf(await rig.git.fetchHead(bounds()));
    const other = rig.commit('main', 'another history');
    expect(valueOf(await rig.git.fetchHead(bounds()))).toBe(other);
  });

  test('comes alone: no other branch, no tag', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    const other = rig.commit('state/web2', 'two');
    rig.at(['tag', 'v1', head]);
    valueOf(await rig.git.fetchHead(bounds()));
    expect(readdirSync(join(rig.directory, 'refs'), { recursive: true }).sort()).toEqual([
      'autark',
      'autark/config',
    ]);
    expect(failureOf(await rig.git.read(other)).kind).toBe('unreachable');
  });

  test('is read from packed-refs as well', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    valueOf(await rig.git.fetchHead(bounds()));
    await must('git', ['--git-dir', rig.directory, 'pack-refs', '--all'], {
      env: { PATH: process.env['PATH'] ?? '' },
    });
    expect(existsSync(join(rig.directory, 'refs/autark/config'))).toBe(false);
    expect(valueOf(await rig.git.fetchHead(bounds()))).toBe(head);
  });

  test('with slashes in its name is a branch like any other', async () => {
    const rig = gitRig();
    const head = rig.commit('fleet/production', 'one');
    expect(valueOf(await rig.open({ branch: 'fleet/production' }).fetchHead(bounds()))).toBe(head);
  });
});

describe('a remote that gives nothing', () => {
  test('because it is empty, or lacks the branch, is told by the branch', async () => {
    const rig = gitRig();
    const missing = {
      kind: 'unreachable',
      cause: 'the remote has no branch main',
      where: rig.remote,
      remedy: 'push it (git push -u origin main), or correct `branch` in agent.yaml',
    };
    expect(failureOf(await rig.git.fetchHead(bounds()))).toMatchObject(missing);
    rig.commit('mains', 'one');
    expect(failureOf(await rig.git.fetchHead(bounds()))).toMatchObject(missing);
  });

  test('because it is no repository says so', async () => {
    const rig = gitRig();
    const garbage = join(rig.folder, 'garbage');
    mkdirSync(garbage);
    writeFileSync(join(garbage, 'HEAD'), '\u001b[31mnonsense');
    for (const remote of [garbage, join(rig.folder, 'none')]) {
      const failure = failureOf(await rig.open({ remote }).fetchHead(bounds()));
      expect(failure).toMatchObject({
        kind: 'unreachable',
        cause: `'${remote}' does not appear to be a git repository`,
        where: remote,
      });
      expect(failure.remedy).toContain('`remote` in agent.yaml');
    }
  });

  test('because nobody answers in time is given up', async () => {
    const rig = gitRig();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const failure = failureOf(await rig.open({ remote: `git://127.0.0.1:${port}/x` }).fetchHead(bounds(500)));
    expect(failure).toMatchObject({ kind: 'unreachable', cause: 'git fetch took longer than 0.5 s' });
  });

  test('because its transport runs programs is refused', async () => {
    const rig = gitRig();
    const proof = join(rig.folder, 'proof');
    const failure = failureOf(await rig.open({ remote: `ext::sh -c touch% ${proof}` }).fetchHead(bounds()));
    expect(failure.cause).toBe("transport 'ext' not allowed");
    expect(readdirSync(rig.folder)).not.toContain('proof');
  });

  test('because objects in it are malformed is refused before they are taken in', async () => {
    const rig = gitRig();
    const good = rig.commit('main', 'one');
    const tree = rig.at(['rev-parse', `${good}^{tree}`]);
    const bad = rig.at(
      ['hash-object', '-t', 'commit', '-w', '--literally', '--stdin'],
      `tree ${tree}\nparent x\n\nbad\n`,
    );
    writeFileSync(join(rig.remote, 'refs/heads/bad'), `${bad}\n`);
    const failure = failureOf(await rig.open({ branch: 'bad' }).fetchHead(bounds()));
    expect(failure.kind).toBe('invalid');
    expect(failure.cause).toContain('badParentSha1');
    expect(failureOf(await rig.git.read(bad)).kind).toBe('unreachable');
  });

  test('ends at once when the agent shall stop', async () => {
    const rig = gitRig();
    rig.commit('main', 'one');
    expect(failureOf(await rig.git.fetchHead(bounds(30_000, AbortSignal.abort()))).cause).toBe(
      'git fetch was stopped',
    );
  });
});

describe('the own Git directory', () => {
  test('is for our eyes only, and its configuration is ours each time', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    valueOf(await rig.git.fetchHead(bounds()));
    const config = join(rig.directory, 'config');
    const written = readFileSync(config, 'utf8');
    writeFileSync(config, '[core]\n\thooksPath = /tmp\n');
    expect(valueOf(await rig.git.fetchHead(bounds()))).toBe(head);
    expect(readFileSync(config, 'utf8')).toBe(written);
    expect(statSync(config).mode & 0o777).toBe(0o600);
    expect(statSync(rig.directory).mode & 0o777).toBe(0o700);
  });

  test('is made anew when it was removed', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    valueOf(await rig.git.fetchHead(bounds()));
    rmSync(rig.directory, { recursive: true });
    expect(valueOf(await rig.git.fetchHead(bounds()))).toBe(head);
  });

  test('is freed of what killed gits left, when the agent starts', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    valueOf(await rig.git.fetchHead(bounds()));
    const left = [
      'refs/autark/config.lock',
      'packed-refs.lock',
      'shallow.lock',
      'objects/pack/tmp_pack_XXXX',
    ];
    for (const name of left) writeFileSync(join(rig.directory, name), 'x');
    expect(valueOf(await rig.open().fetchHead(bounds()))).toBe(head);
    expect(left.filter((name) => existsSync(join(rig.directory, name)))).toEqual([]);
  });

  test('is freed of what a crash left when it was replaced, when the agent starts', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    valueOf(await rig.git.fetchHead(bounds()));
    for (const name of ['git.old', 'git.fresh'])
      cpSync(rig.directory, join(rig.folder, 'own', name), { recursive: true });
    expect(valueOf(await rig.open().fetchHead(bounds()))).toBe(head);
    expect(readdirSync(join(rig.folder, 'own'))).toEqual(['git']);
  });

  test('does not gather packs for ever', async () => {
    const rig = gitRig();
    const first = rig.commit('main', 'one');
    valueOf(await rig.git.fetchHead(bounds()));
    const env = { PATH: process.env['PATH'] ?? '', GIT_DIR: rig.directory };
    const blobs = Array.from({ length: 60 }, (_, n): GitObject => ({ type: 'blob', bytes: Buffer.of(n) }));
    for (const blob of blobs) await must('git', ['index-pack', '--stdin'], { env, input: writePack([blob]) });
    const packs = () =>
      readdirSync(join(rig.directory, 'objects/pack')).filter((name) => name.endsWith('.pack')).length;
    expect(packs()).toBeGreaterThan(60);
    valueOf(await rig.git.read(first));
    rig.commit('main', 'two', [first]);
    valueOf(await rig.git.fetchHead(bounds()));
    expect(packs()).toBeLessThan(5);
    for (const object of blobs) expect(valueOf(await rig.git.read(objectId(object)))).toEqual(object);
  });

  test('mends itself when its objects are damaged', async () => {
    const rig = gitRig();
    const first = rig.commit('main', 'one');
    valueOf(await rig.git.fetchHead(bounds()));
    for (const name of readdirSync(join(rig.directory, 'objects'), { recursive: true })) {
      const path = join(rig.directory, 'objects', name.toString());
      if (!statSync(path).isFile()) continue;
      rmSync(path);
      writeFileSync(path, '');
    }
    const second = rig.commit('main', 'two', [first]);
    // The first failure may be anything; the second is reason enough to fetch anew.
    await rig.git.fetchHead(bounds());
    expect(valueOf(await rig.git.fetchHead(bounds()))).toBe(second);
    valueOf(await rig.git.read(first));
    expect(readdirSync(join(rig.folder, 'own'))).toEqual(['git']);
  });

  test('is fetched anew once objects that a power cut emptied stand in the way of the own branch', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    const first = rig.commit('state/web1', 'record one', [head]);
    valueOf(await rig.git.fetchHead(bounds()));
    valueOf(await rig.git.fetchState(bounds()));
    // As single files, of which the kernel had the names on disk and not the bytes.
    loosen(rig);
    rmSync(loosePath(rig, first));
    writeFileSync(loosePath(rig, first), '');
    const second = rig.commit('state/web1', 'record two', [first]);
    expect(failureOf(await rig.git.fetchState(bounds())).detail).toMatch(/is empty/);
    expect(valueOf(await rig.git.fetchHead(bounds()))).toBe(head);
    expect(valueOf(await rig.git.fetchState(bounds()))?.id).toBe(second);
    valueOf(await rig.git.read(first));
  });

  test('is kept while the server cannot be reached', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    valueOf(await rig.git.fetchHead(bounds()));
    const away = rig.open({ remote: join(rig.folder, 'none') });
    for (let round = 0; round < 5; round += 1) failureOf(await away.fetchHead(bounds()));
    valueOf(await away.read(head));
    expect(readdirSync(join(rig.folder, 'own')).sort()).toEqual(['git', 'git.doubt']);
  });
});

describeWith(['root'], "another user's repository", () => {
  test('can be fetched from and pushed to by root', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    await must('chown', ['-R', '65534:65534', rig.remote], { env: { PATH: '/usr/bin:/bin' } });
    expect(valueOf(await rig.git.fetchHead(bounds()))).toBe(head);
    valueOf(await rig.git.push([{ ref: 'refs/heads/state/web1', to: head, expected: null }], bounds()));
  });
});
