import { describe, expect, test } from 'vitest';
import type { ObjectId } from '../../../shared/objects/object.ts';
import { authenticate, descends } from '../../../shared/trust/verdict.ts';
import { failureOf, valueOf } from '../../agent/adapters/scratch.ts';
import { fleet, makeGraph, refusal, verdict } from './graph.ts';

describe('floors (S2)', () => {
  test('are kept by a revision that descends from them, or is one', async () => {
    const graph = fleet('alice');
    const side = graph.commit([graph.introduction]);
    const main = graph.commit([graph.introduction]);
    const merge = graph.commit([main, side]);
    const { history, introduction } = graph;
    for (const floors of [[], [introduction], [side, main], [merge], [introduction, side, merge]]) {
      expect(await descends({ head: merge, floors }, history)).toEqual({ ok: true, value: undefined });
    }
  });

  test('refuse what is older or beside, and say how to go on', async () => {
    const graph = fleet('alice');
    const accepted = graph.commit([graph.introduction]);
    const beside = graph.commit([graph.introduction]);
    for (const head of [graph.introduction, beside]) {
      const failure = failureOf(
        await descends({ head, floors: [graph.introduction, accepted] }, graph.history),
      );
      expect(failure).toMatchObject({ kind: 'not-authentic', rule: 'S2', where: head });
      expect(failure.cause).toContain(accepted);
      expect(failure.remedy).toContain(`\`git merge -s ours ${accepted}\``);
    }
    // The remedy works.
    const joined = graph.commit([beside, accepted]);
    expect((await descends({ head: joined, floors: [accepted] }, graph.history)).ok).toBe(true);
  });

  test('that were passed before spare the way to them', async () => {
    const graph = fleet('alice');
    let accepted = graph.introduction;
    for (let count = 0; count < 50; count += 1) accepted = graph.commit([accepted]);
    const head = graph.commit([accepted]);
    const before = graph.reads();
    const floors = [graph.introduction, accepted];
    expect((await descends({ head, floors, settled: new Set([accepted]) }, graph.history)).ok).toBe(true);
    expect(graph.reads() - before).toBe(1);
  });

  test('count together with the verdict', async () => {
    const { introduction, history, commit } = fleet('alice');
    const accepted = commit([introduction]);
    const ask = (head: ObjectId) =>
      authenticate({ introduction, head, known: new Set(), floors: [accepted], ...history });
    expect((await ask(commit([accepted]))).ok).toBe(true);
    expect(failureOf(await ask(commit([accepted], { by: null })))).toMatchObject({ rule: 'S3' });
    expect(failureOf(await ask(introduction))).toMatchObject({ rule: 'S2' });
  });
});

describe('the walk', () => {
  test('does not go below what is known', async () => {
    const graph = fleet('alice');
    let known = graph.introduction;
    for (let count = 0; count < 50; count += 1) known = graph.commit([known]);
    const head = graph.commit([known]);
    const before = graph.reads();
    expect(valueOf(await verdict(graph, head, new Set([known])))).toMatchObject({ judged: [head] });
    // The head; the known commit, its tree and its allowed_signers.
    expect(graph.reads() - before).toBe(4);
  });

  test('goes through histories that are deeper than the stack', async () => {
    const graph = makeGraph();
    let before = graph.commit([], { by: null, signers: null });
    for (let count = 0; count < 30_000; count += 1) {
      before = graph.commit([before], { by: null, signers: null });
    }
    const introduction = graph.commit([before]);
    const main = graph.commit([introduction]);
    expect((await verdict({ ...graph, introduction }, main)).ok).toBe(true);
    // Down to the root to collect, to exclude, and to look for admins.
    const merge = graph.commit([main, before]);
    expect(await refusal({ ...graph, introduction }, merge)).toMatchObject({ rule: 'S1b', where: merge });
    expect((await descends({ head: merge, floors: [merge.replace(/./g, '0')] }, graph.history)).ok).toBe(
      false,
    );
  });

  test('does not take a lattice of merges for more than its commits', async () => {
    const graph = fleet('alice');
    let row = [graph.introduction, graph.introduction];
    for (let count = 0; count < 60; count += 1) {
      row = [graph.commit(row, { signers: null }), graph.commit(row, { signers: null })];
    }
    expect(valueOf(await verdict(graph, graph.commit(row))).judged).toHaveLength(121);
  });
});
