import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { GitObject, ObjectId } from '../../shared/objects/object.ts';
import { valueOf } from '../agent/adapters/scratch.ts';
import { patience } from '../rig/patience.ts';
import { bounds, gitRig, type GitRig } from './git-rig.ts';

/** A line of commits with a merge at its end, fetched. */
async function fetched(rig: GitRig) {
  const base = rig.commit('main', 'base');
  const left = rig.commit('main', 'left', [base]);
  const right = rig.commit('main', 'right', [base]);
  const head = rig.commit('main', 'head', [left, right]);
  expect(valueOf(await rig.git.fetchHead(bounds()))).toBe(head);
  return { base, left, right, head };
}

async function readAhead(rig: GitRig, head: ObjectId, bases: readonly ObjectId[], git = rig.git) {
  const taken = new Map<ObjectId, GitObject>();
  await git.readAhead(head, bases, (id, object) => taken.set(id, object));
  return taken;
}

const treesOf = (rig: GitRig, ...commits: readonly ObjectId[]): readonly ObjectId[] =>
  commits.map((commit) => rig.at(['rev-parse', `${commit}^{tree}`]));

describe('reading ahead', () => {
  test('hands over what lies above the bases, and the trees, with the bytes that one by one would bring', async () => {
    const rig = gitRig();
    const { base, left, right, head } = await fetched(rig);
    const taken = await readAhead(rig, head, [base]);
    expect([...taken.keys()].sort()).toEqual([head, left, right, ...treesOf(rig, head, left, right)].sort());
    for (const [id, object] of taken) expect(valueOf(await rig.git.read(id))).toEqual(object);
    const whole = await readAhead(rig, head, []);
    expect(whole.has(base)).toBe(true);
    expect((await readAhead(rig, head, [left, right])).size).toBe(2);
  });

  test('asks two gits, with these arguments, and lets them write in blocks', async () => {
    const rig = gitRig();
    const { base, head } = await fetched(rig);
    const bin = join(rig.folder, 'bin');
    mkdirSync(join(bin, 'calls'), { recursive: true });
    const real = execFileSync('sh', ['-c', 'command -v git']).toString().trim();
    const script = `#!/bin/sh\nprintf '%s\\n' "$@" "GIT_FLUSH=$GIT_FLUSH" >"${bin}/calls/$1"\nexec '${real}' "$@"\n`;
    writeFileSync(join(bin, 'git'), script, { mode: 0o755 });
    const git = rig.open({ env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` } });
    expect((await readAhead(rig, head, [base], git)).size).toBe(6);
    const calls = readdirSync(join(bin, 'calls')).map((name) =>
      readFileSync(join(bin, 'calls', name), 'utf8')
        .trimEnd()
        .split('\n'),
    );
    expect(calls.sort()).toEqual([
      ['cat-file', '--batch', '--buffer', 'GIT_FLUSH=0'],
      ['rev-list', '--no-commit-header', '--format=%H%n%T', head, `^${base}`, '--', 'GIT_FLUSH=0'],
    ]);
  });

  test('keeps back what is not what its name says (S5)', async () => {
    const rig = gitRig();
    const { base, head, left } = await fetched(rig);
    const [tree = ''] = treesOf(rig, left);
    const packs = join(rig.directory, 'objects/pack');
    const env = { PATH: process.env['PATH'] ?? '', GIT_DIR: rig.directory };
    const names = readdirSync(packs);
    const pack = readFileSync(join(packs, names.find((name) => name.endsWith('.pack')) ?? ''));
    for (const name of names) rmSync(join(packs, name));
    execFileSync('git', ['unpack-objects', '-q'], { env, input: pack });
    const path = join(rig.directory, 'objects', tree.slice(0, 2), tree.slice(2));
    rmSync(path);
    writeFileSync(path, deflateSync(Buffer.from('tree 0\0')));
    const taken = await readAhead(rig, head, [base]);
    expect(taken.has(tree)).toBe(false);
    expect(taken.has(left)).toBe(true);
  });

  test('ends with nothing where git knows no such commit, and for what is no name', async () => {
    const rig = gitRig();
    const { base, head } = await fetched(rig);
    const unknown = '0'.repeat(39) + '1';
    for (const [from, to] of [
      [unknown, base],
      [head, unknown],
      [head, '--all'],
      ['--all', base],
    ] as const) {
      expect((await readAhead(rig, from, [to])).size).toBe(0);
    }
  });

  test('ends with nothing where there is no git, or one that says nothing', async () => {
    const rig = gitRig();
    const { base, head } = await fetched(rig);
    const [empty, hanging] = [join(rig.folder, 'empty'), join(rig.folder, 'hanging')];
    for (const folder of [empty, hanging]) mkdirSync(folder);
    writeFileSync(join(hanging, 'git'), '#!/bin/sh\nexec /bin/sleep 1000\n', { mode: 0o755 });
    const none = rig.open({ env: { PATH: empty } });
    expect((await readAhead(rig, head, [base], none)).size).toBe(0);
    const silent = rig.open({ env: { PATH: hanging }, readTimeout: 100 });
    expect((await readAhead(rig, head, [base], silent)).size).toBe(0);
  });

  test('ends when the door is closed, and leaves no process', async () => {
    const rig = gitRig();
    const { base, head } = await fetched(rig);
    const bin = join(rig.folder, 'bin');
    mkdirSync(bin);
    const script = `#!/bin/sh\necho $$ >>"${bin}/pids"\nexec /bin/sleep 1000\n`;
    writeFileSync(join(bin, 'git'), script, { mode: 0o755 });
    const git = rig.open({ env: { PATH: `${bin}:/usr/bin:/bin` } });
    const reading = readAhead(rig, head, [base], git);
    const pids = (): number[] => {
      try {
        return readFileSync(join(bin, 'pids'), 'utf8').trim().split('\n').map(Number);
      } catch {
        return [];
      }
    };
    await expect.poll(() => pids().length, patience).toBe(2);
    await git.close();
    expect((await reading).size).toBe(0);
    for (const pid of pids()) expect(() => process.kill(pid, 0)).toThrow();
  });

  test('throws what the taker throws, and ends', async () => {
    const rig = gitRig();
    const { base, head } = await fetched(rig);
    const reading = rig.git.readAhead(head, [base], () => {
      throw new Error('a bug');
    });
    await expect(reading).rejects.toThrow('a bug');
  });
});
