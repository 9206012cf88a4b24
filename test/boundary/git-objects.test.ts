import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseCommit, serialiseCommit, signedPayload, withSignature } from '../../shared/objects/commit.ts';
import { objectId, type ObjectType } from '../../shared/objects/object.ts';
import { parseTree, serialiseTree, type TreeItem } from '../../shared/objects/tree.ts';
import { refusedName } from '../../shared/tree/names.ts';
import { chooseSeed, scratch, seeded, valueOf } from '../agent/adapters/scratch.ts';
import { must, run } from '../rig/run.ts';
import { environment } from '../rig/world.ts';
import { mutate } from '../shared/mutate.ts';

async function repository() {
  const cwd = scratch();
  const env = environment(cwd);
  await must('git', ['init', '--quiet', '--initial-branch=main', '.'], { cwd, env });
  return {
    git: (args: readonly string[], input: string | Uint8Array = '') => must('git', args, { cwd, env, input }),
    /** Keeps the bytes as they are, well formed or not; many at once would cost a process each. */
    write: async (type: ObjectType, bytes: Uint8Array) =>
      must('git', ['hash-object', '--literally', '-w', '-t', type, '--stdin'], { cwd, env, input: bytes }),
    /** The objects that `git fsck --strict` has something against; that others are missing is no matter. */
    flawed: async (): Promise<readonly string[]> => {
      const { stdout, stderr } = await run('git', ['fsck', '--strict', '--no-dangling'], { cwd, env });
      return `${stdout}${stderr}`
        .split('\n')
        .filter((line) => /^(error|warning) in (tree|commit)/.test(line) && !line.endsWith('broken links'))
        .flatMap((line) => /[0-9a-f]{40}/.exec(line)?.[0] ?? []);
    },
  };
}

const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/git/${name}`, import.meta.url));

describe('git and we', () => {
  test('write the same tree', async () => {
    const { git } = await repository();
    const blob = await git(['hash-object', '-w', '--stdin'], 'x');
    const sub = await git(['mktree'], `100644 blob ${blob}\tx\n`);
    const items: readonly TreeItem[] = [
      { mode: '100644', name: 'a.b', id: blob },
      { mode: '40000', name: 'a', id: sub },
      { mode: '100755', name: 'a0', id: blob },
      { mode: '120000', name: 'ä', id: blob },
      { mode: '160000', name: 'Z', id: 'b'.repeat(40) },
    ];
    const types = {
      '100644': 'blob',
      '100755': 'blob',
      '120000': 'blob',
      '40000': 'tree',
      '160000': 'commit',
    };
    const listing = items.map(({ mode, name, id }) => `${mode} ${types[mode]} ${id}\t${name}\0`).join('');
    const made = await git(['mktree', '-z', '--missing'], listing);
    expect(objectId({ type: 'tree', bytes: serialiseTree(items) })).toBe(made);
  });

  test('write and read the same commit', async () => {
    const { git, write, flawed } = await repository();
    const tree = await git(['mktree']);
    const who = { name: 'Zoë', email: 'z@example.org', seconds: 1_700_000_000, zone: '-0330' };
    const fields = { tree, parents: [], author: who, committer: who, message: 'Grüße\n\nbody\n' };
    const id = await write('commit', serialiseCommit(fields));
    const shown = await git(['log', '-1', '--format=%T|%P|%an|%ae|%ad|%cn|%ct|%B', '--date=raw', id]);
    expect(shown).toBe(`${tree}||Zoë|z@example.org|1700000000 -0330|Zoë|1700000000|Grüße\n\nbody`);
    expect(await flawed()).toEqual([]);
    const made = await git(['commit-tree', tree, '-p', id, '-p', id, '-m', 'two']);
    const commit = valueOf(parseCommit(Buffer.from(`${await git(['cat-file', 'commit', made])}\n`)));
    expect(commit).toMatchObject({ tree, message: 'two\n', author: { email: 'alice@example.org' } });
  });

  test('read the same signature out of a commit', async () => {
    const { write, git } = await repository();
    const payload = signedPayload(fixture('merge-with-mergetag'));
    const id = await write('commit', withSignature(payload, '-----BEGIN X-----\n\nline\n-----END X-----\n'));
    // %GG is what the verifier says; the raw header is all that needs no verifier.
    const raw = await git(['cat-file', 'commit', id]);
    expect(raw).toContain('\ngpgsig -----BEGIN X-----\n \n line\n -----END X-----\n\nmerge v1');
  });

  test('refuse: what we take, git fsck takes', async () => {
    const seed = chooseSeed();
    const random = seeded(seed);
    const { write, flawed } = await repository();
    const id = await write('blob', Buffer.from('x'));
    const tree = serialiseTree(
      ['a', 'a.b', 'b', 'ä'].map((name, index) => ({ mode: index === 0 ? '40000' : '100644', name, id })),
    );
    const taken: string[] = [];
    for (let round = 0; round < 800 && taken.length < 120; round += 1) {
      const asTree = mutate(tree, random);
      const items = parseTree(asTree);
      const isTaken = items.ok && items.value.every(({ name }) => refusedName(name) === undefined);
      if (isTaken) taken.push(await write('tree', asTree));
      const asCommit = mutate(fixture('signed-commit'), random);
      if (parseCommit(asCommit).ok) taken.push(await write('commit', asCommit));
    }
    expect(taken.length, `seed ${seed}`).toBeGreaterThan(20);
    const refused = await flawed();
    expect(
      taken.filter((each) => refused.includes(each)),
      `seed ${seed}`,
    ).toEqual([]);
  });

  test('refuse the same trees', async () => {
    const { write, flawed } = await repository();
    const id = Buffer.from(await write('blob', Buffer.from('x')), 'hex');
    const entry = (mode: string, name: string): Buffer =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), id]);
    const bad = [
      [entry('100644', 'b'), entry('100644', 'a')],
      [entry('100644', 'a'), entry('100644', 'a')],
      [entry('100644', 'a'), entry('100644', 'a.b'), entry('40000', 'a')],
      [entry('040000', 'a')],
      [entry('100600', 'a')],
      [entry('100644', 'a/b')],
      [entry('100644', '')],
    ].map((entries) => Buffer.concat(entries));
    const ids = await Promise.all(bad.map((tree) => write('tree', tree)));
    const refused = await flawed();
    for (const [index, tree] of bad.entries()) {
      expect(parseTree(tree).ok, `tree ${index}`).toBe(false);
      expect(refused, `tree ${index}`).toContain(ids[index]);
    }
  });

  test('refuse the same names', async () => {
    const { write, flawed } = await repository();
    const id = await write('blob', Buffer.from('x'));
    const names = [
      '.git',
      '.GIT',
      '.',
      '..',
      '.git ',
      '.git...',
      'git~1',
      '.g\u200cit',
      '.git::$INDEX_ALLOCATION',
    ];
    const ids = await Promise.all(
      names.map((name) => write('tree', serialiseTree([{ mode: '100644', name, id }]))),
    );
    const refused = await flawed();
    for (const [index, name] of names.entries()) {
      expect(refusedName(name), name).toBeDefined();
      expect(refused, name).toContain(ids[index]);
    }
  });
});
