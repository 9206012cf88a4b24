import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { failureOf, valueOf } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';
import { bounds, gitRig, type GitRig } from './git-rig.ts';

/** No user of this machine: what it owns, and what runs as it, is these tests'. */
const account = { uid: 64_101, gid: 64_101 };

/** Runs a script as that user, in the Git directory. */
function asThem(rig: GitRig, script: string): void {
  execFileSync('/bin/sh', ['-ec', script], { ...account, cwd: rig.directory });
}

/** The owners of everything in a directory, each once. */
function ownersIn(directory: string): string[] {
  const listed = execFileSync('find', [directory, '-printf', '%U\n']).toString().trim().split('\n');
  return [...new Set(listed)];
}

/** A folder of root's with what a sweep would remove, had it been led there by a link. */
function makeVictim(rig: GitRig): string {
  const victim = join(rig.folder, 'victim');
  mkdirSync(join(victim, 'pack'), { recursive: true, mode: 0o755 });
  for (const name of ['passwd.lock', 'tmp_important', 'pack/tmp_pack_x'])
    writeFileSync(join(victim, name), 'mine');
  return victim;
}

function expectWhole(victim: string): void {
  for (const name of ['passwd.lock', 'tmp_important', 'pack/tmp_pack_x'])
    expect(readFileSync(join(victim, name), 'utf8'), name).toBe('mine');
}

describeWith(['root'], 'git as a user of its own (S7)', () => {
  test('fetches and reads, and everything in the Git directory is that user’s', async () => {
    const rig = gitRig();
    const first = rig.commit('main', 'one');
    const git = rig.open({ account });
    expect(valueOf(await git.fetchHead(bounds()))).toBe(first);
    expect(valueOf(await git.read(first as never)).type).toBe('commit');
    const second = rig.commit('main', 'two', [first]);
    expect(valueOf(await git.fetchHead(bounds()))).toBe(second);
    expect(ownersIn(rig.directory)).toEqual([String(account.uid)]);
  });

  test('has no capability, no group of root’s, and limits', async () => {
    const rig = gitRig();
    rig.commit('main', 'one');
    const bin = join(rig.folder, 'bin');
    const seen = join(rig.folder, 'seen');
    mkdirSync(bin);
    mkdirSync(seen);
    chmodSync(seen, 0o777);
    const spy = `#!/bin/sh\n(cat /proc/self/status; echo; cat /proc/self/limits) >"${seen}/$$"\nPATH=/usr/bin:/bin exec git "$@"\n`;
    writeFileSync(join(bin, 'git'), spy, { mode: 0o755 });
    const git = rig.open({ account, env: { PATH: `${bin}:/usr/bin:/bin` } });
    const head = valueOf(await git.fetchHead(bounds()));
    await git.read(head);
    const reports = execFileSync('/bin/sh', ['-c', 'cat ./*'], { cwd: seen })
      .toString()
      .split(/^Name:/m)
      .slice(1);
    // One that fetched and one that reads.
    expect(reports.length).toBeGreaterThanOrEqual(2);
    for (const report of reports) {
      expect(report).toMatch(/^Uid:\t64101\t64101\t64101\t64101$/m);
      expect(report).toMatch(/^Gid:\t64101\t64101\t64101\t64101$/m);
      expect(report).toMatch(/^Groups:\t *$/m);
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
        expect(report).toMatch(new RegExp(`^${set}:\t0+$`, 'm'));
      for (const limit of ['Max address space', 'Max file size', 'Max cpu time', 'Max open files'])
        expect(report).toMatch(new RegExp(`^${limit} +\\d+ +\\d+ `, 'm'));
    }
  });

  test('a directory that root’s git left is replaced', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    valueOf(await rig.git.fetchHead(bounds()));
    await rig.git.close();
    expect(ownersIn(rig.directory)).toEqual(['0']);
    expect(valueOf(await rig.open({ account }).fetchHead(bounds()))).toBe(head);
    expect(ownersIn(rig.directory)).toEqual([String(account.uid)]);
  });

  test('root’s git takes no directory that another user could have configured', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    const git = rig.open({ account });
    valueOf(await git.fetchHead(bounds()));
    await git.close();
    asThem(rig, 'echo "#!/bin/sh" >planted && chmod +x planted');
    expect(valueOf(await rig.open().fetchHead(bounds()))).toBe(head);
    expect(ownersIn(rig.directory)).toEqual(['0']);
    expect(existsSync(join(rig.directory, 'planted'))).toBe(false);
  });

  test('a configuration that this user changed is put right', async () => {
    const rig = gitRig();
    rig.commit('main', 'one');
    const git = rig.open({ account });
    valueOf(await git.fetchHead(bounds()));
    asThem(rig, 'printf "[core]\\n\\tsshCommand = evil\\n" >config');
    valueOf(await git.fetchHead(bounds()));
    expect(readFileSync(join(rig.directory, 'config'), 'utf8')).not.toContain('evil');
  });

  test('a link in the place of its folders leads root nowhere, and the directory is fetched anew', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    const victim = makeVictim(rig);
    const git = rig.open({ account });
    valueOf(await git.fetchHead(bounds()));
    await git.close();
    asThem(rig, `rm -rf objects refs && ln -s ${victim} objects && ln -s ${victim} refs`);
    asThem(rig, `ln -s ${victim}/passwd.lock config.new`);
    rig.commit('main', 'two', [head]);
    const again = rig.open({ account });
    // Fetched anew after the second failure: see git-fetch.
    for (let round = 0; round < 3; round += 1) await again.fetchHead(bounds());
    expect(valueOf(await again.fetchHead(bounds()))).not.toBe(head);
    expectWhole(victim);
    expect(ownersIn(victim)).toEqual(['0']);
    expect(existsSync(`${rig.directory}.old`)).toBe(false);
  });

  test('a directory that this user made hard to remove is replaced all the same', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    valueOf(await rig.open({ account }).fetchHead(bounds()));
    asThem(
      rig,
      'mkdir -p objects/a/b/c && touch objects/a/b/c/d && chmod 0 objects/a/b/c objects/a/b objects/a',
    );
    asThem(rig, 'rm -rf refs objects/pack && ln -s / refs');
    const git = rig.open({ account });
    for (let round = 0; round < 3; round += 1) await git.fetchHead(bounds());
    expect(valueOf(await git.fetchHead(bounds()))).toBe(head);
    expect(existsSync(join(rig.directory, 'objects/a'))).toBe(false);
    expect(existsSync(`${rig.directory}.old`)).toBe(false);
  });

  test('a ref that is a link, or a pipe, is no ref', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    const git = rig.open({ account });
    valueOf(await git.fetchHead(bounds()));
    const planted = join(rig.folder, 'planted');
    writeFileSync(planted, `${head}\n`);
    asThem(rig, `mkdir -p refs/autark/testing && ln -s ${planted} refs/autark/testing/web1`);
    expect(await git.testingTip()).toBeNull();
    asThem(rig, 'rm refs/autark/testing/web1 && mkfifo refs/autark/testing/web1');
    expect(await git.testingTip()).toBeNull();
    asThem(rig, `rm -r refs/autark/testing && ln -s ${rig.folder} refs/autark/testing`);
    writeFileSync(join(rig.folder, 'web1'), `${head}\n`);
    expect(await git.testingTip()).toBeNull();
  });

  test('where this user may not go, the failure says who could not', async () => {
    const rig = gitRig();
    rig.commit('main', 'one');
    chmodSync(rig.remote, 0o700);
    const failure = failureOf(await rig.open({ account }).fetchHead(bounds()));
    expect(failure.kind).toBe('unreachable');
    expect(statSync(rig.remote).mode & 0o777).toBe(0o700);
    expect(failure.remedy).toMatch(/autark-git/);
  });
});
