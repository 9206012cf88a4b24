import { describe, expect, test } from 'vitest';
import { signWith } from '../../../shared/trust/sshsig.ts';
import { valueOf } from '../../agent/adapters/scratch.ts';
import { keyOf } from './fixtures.ts';
import { allow, fleet, makeGraph, refusal, verdict } from './graph.ts';

describe('an allowed_signers that grants nothing', () => {
  const useless: readonly [string, string | null][] = [
    ['deleted', null],
    ['emptied', ''],
    ['garbled', '<<<<<<< HEAD\nalice ssh-rsa AAAA\n=======\n'],
    ['only for dates', `mallory valid-after="20200101" ${keyOf('mallory').line}\n`],
    ['only an authority', `mallory cert-authority ${keyOf('mallory').line}\n`],
  ];

  test.each(useless)('leaves the admins as they were: %s', async (_, signers) => {
    const graph = fleet('alice');
    const spoiled = graph.commit([graph.introduction], { signers });
    const still = graph.commit([spoiled], { signers });
    const mended = graph.commit([still], { signers: allow('alice', 'bob') });
    expect((await verdict(graph, graph.commit([mended], { by: 'bob' }))).ok).toBe(true);
    for (const parent of [spoiled, still]) {
      const head = graph.commit([parent], { by: 'mallory', signers: allow('mallory') });
      expect(await refusal(graph, head)).toMatchObject({ rule: 'S1b', where: head });
    }
  });

  test('in a merge leaves those who were admins on all sides', async () => {
    const graph = fleet('alice', 'bob', 'carol', 'dave');
    const sides = [
      ['alice', 'bob', 'dave'],
      ['alice', 'carol', 'dave'],
      ['alice', 'bob', 'carol'],
    ].map((names) => graph.commit([graph.introduction], { signers: allow(...names) }));
    const merge = graph.commit(sides, { signers: null });
    expect((await verdict(graph, graph.commit([merge], { by: 'alice' }))).ok).toBe(true);
    for (const by of ['bob', 'carol', 'dave']) {
      const head = graph.commit([merge], { by });
      expect(await refusal(graph, head)).toMatchObject({ rule: 'S1b', where: head });
    }
  });

  test('at the introduction leaves nobody, whatever was before it', async () => {
    const graph = makeGraph();
    const before = graph.commit([]);
    const introduction = graph.commit([before], { signers: null });
    const head = graph.commit([introduction]);
    const failure = await refusal({ ...graph, introduction }, head);
    expect(failure).toMatchObject({ rule: 'S1b', where: head });
    expect(failure.cause).toContain('nobody may sign');
  });

  test.each([
    ['a link', '120000'],
    ['a directory', '40000'],
    ['a submodule', '160000'],
  ] as const)('counts as missing when it is %s', async (_, mode) => {
    const graph = fleet('alice');
    const { put } = graph;
    const content = Buffer.from(allow('mallory'));
    const entry = Buffer.concat([
      Buffer.from(`${mode} allowed_signers\0`),
      Buffer.from(put('blob', content), 'hex'),
    ]);
    const first = graph.commit([graph.introduction]);
    const text = Buffer.from(graph.objects.get(first)?.bytes ?? []).toString();
    const unsigned = text
      .replace(/^tree .*/, `tree ${put('tree', entry)}`)
      .replace(/gpgsig (.*\n)( .*\n)*/, '');
    const folded = signWith(keyOf('alice'), 'git', Buffer.from(unsigned)).trimEnd().replaceAll('\n', '\n ');
    const spoiled = put('commit', Buffer.from(unsigned.replace('\n\n', () => `\ngpgsig ${folded}\n\n`)));
    expect((await verdict(graph, graph.commit([spoiled], { by: 'alice' }))).ok).toBe(true);
    expect((await verdict(graph, graph.commit([spoiled], { by: 'mallory' }))).ok).toBe(false);
  });
});

describe('S1 (a) refuses, with the commit', () => {
  function old() {
    const graph = makeGraph();
    const root = graph.commit([]);
    const before = graph.commit([root]);
    return { ...graph, root, before, introduction: graph.commit([before]) };
  }

  test('another history altogether', async () => {
    const graph = fleet('alice');
    const other = graph.commit([graph.commit([])]);
    expect(await refusal(graph, other)).toMatchObject({ rule: 'S1a', where: other });
  });

  test('what the introduction descends from', async () => {
    const graph = old();
    for (const head of [graph.root, graph.before]) {
      expect(await refusal(graph, head)).toMatchObject({ rule: 'S1a', where: head });
    }
  });

  test('a branch from before the introduction', async () => {
    const graph = old();
    const branch = graph.commit([graph.before]);
    expect(await refusal(graph, branch)).toMatchObject({ rule: 'S1a', where: branch });
  });

  test.each([0, 1])('such a branch when it is merged, as parent %i', async (place) => {
    const graph = old();
    const branch = graph.commit([graph.before]);
    const upper = graph.commit([branch]);
    const main = graph.commit([graph.introduction]);
    const merge = graph.commit(place === 0 ? [upper, main] : [main, upper]);
    const failure = await refusal(graph, graph.commit([merge]));
    expect(failure).toMatchObject({ rule: 'S1a', where: branch });
  });

  test('another root that is merged', async () => {
    const graph = fleet('alice');
    const root = graph.commit([]);
    const head = graph.commit([graph.introduction, root]);
    expect(await refusal(graph, head)).toMatchObject({ rule: 'S1a', where: root });
  });

  test('but not what the introduction itself descends from, when its admins sign the merge', async () => {
    const graph = old();
    const head = graph.commit([graph.introduction, graph.before]);
    expect(valueOf(await verdict(graph, head))).toMatchObject({ judged: [head] });
  });

  test('unless nobody was an admin there', async () => {
    const graph = makeGraph();
    const before = graph.commit([graph.commit([], { signers: null })], { signers: null });
    const introduction = graph.commit([before]);
    const head = graph.commit([introduction, before]);
    expect(await refusal({ ...graph, introduction }, head)).toMatchObject({ rule: 'S1b', where: head });
  });
});

describe('what cannot be read', () => {
  test('is a failure and no verdict: a missing commit', async () => {
    const graph = fleet('alice');
    const lost = graph.commit([graph.introduction]);
    const head = graph.commit([lost]);
    graph.objects.delete(lost);
    expect(await refusal(graph, head)).toMatchObject({ kind: 'unexpected', where: lost });
  });

  test('is a failure and no verdict: a missing tree, or a missing allowed_signers', async () => {
    for (const type of ['tree', 'blob']) {
      const graph = fleet('alice');
      const head = graph.commit([graph.introduction]);
      for (const [id, object] of graph.objects) if (object.type === type) graph.objects.delete(id);
      expect(await refusal(graph, head)).toMatchObject({ kind: 'unexpected' });
    }
  });

  test('refuses the revision: a tag, or a blob, in place of a commit', async () => {
    const graph = fleet('alice');
    const blob = graph.put('blob', Buffer.from('x'));
    expect(await refusal(graph, blob)).toMatchObject({ kind: 'not-authentic', where: blob });
    const head = graph.commit([graph.introduction, blob]);
    expect(await refusal(graph, head)).toMatchObject({ kind: 'not-authentic', where: blob });
  });

  test('refuses the revision: a tree with two allowed_signers', async () => {
    const graph = fleet('alice');
    const good = graph.objects.get(graph.tree(allow('alice')))?.bytes ?? new Uint8Array();
    const evil = graph.objects.get(graph.tree(allow('mallory')))?.bytes ?? new Uint8Array();
    const twice = graph.put('tree', Buffer.concat([good, evil]));
    const commit = graph.objects.get(graph.commit([], { by: null }))?.bytes ?? new Uint8Array();
    const text = Buffer.from(commit)
      .toString()
      .replace(/^tree .*/, `tree ${twice}`);
    const introduction = graph.put('commit', Buffer.from(text));
    const head = graph.commit([introduction]);
    expect(await refusal({ ...graph, introduction }, head)).toMatchObject({
      kind: 'not-authentic',
      where: twice,
    });
  });
});
