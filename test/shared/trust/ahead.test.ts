import { describe, expect, test } from 'vitest';
import { fail, type Result } from '../../../shared/failure.ts';
import type { GitObject, ObjectId } from '../../../shared/objects/object.ts';
import { historyFrom, type ObjectSource } from '../../../shared/trust/history.ts';
import { authenticate, judge } from '../../../shared/trust/verdict.ts';
import { chooseSeed, seeded, valueOf } from '../../agent/adapters/scratch.ts';
import { allow, fleet, verdict, type Fleet } from './graph.ts';

/** Long enough to be read ahead: a line of commits with a merge now and then, alice and bob in turns. */
function longHistory(length: number): { readonly graph: Fleet; readonly all: readonly ObjectId[] } {
  const graph = fleet('alice', 'bob');
  const all: ObjectId[] = [];
  let tip = graph.introduction;
  for (let number = 0; number < length; number += 1) {
    const draft = { signers: allow('alice', 'bob'), by: number % 2 === 0 ? 'alice' : 'bob' };
    const side = number % 10 === 9 ? [graph.commit([tip], draft)] : [];
    tip = graph.commit([tip, ...side], draft);
    all.push(...side, tip);
  }
  return { graph, all };
}

/** The graph's objects, some of them handed over ahead in an order of chance, the others when they are asked for. */
function source({ objects }: Fleet, ids: Iterable<ObjectId>, random = () => 0) {
  const asked: ObjectId[] = [];
  const questions: { readonly head: ObjectId; readonly bases: readonly ObjectId[] }[] = [];
  const read = (id: ObjectId): Promise<Result<GitObject>> => {
    asked.push(id);
    const object = objects.get(id);
    const lost = { kind: 'unexpected', cause: 'lost', where: id, remedy: 'none' } as const;
    return Promise.resolve(object === undefined ? fail(lost) : { ok: true, value: object });
  };
  const readAhead: ObjectSource['readAhead'] = (head, bases, take) => {
    questions.push({ head, bases });
    const order = [...ids].map((id) => ({ id, at: random() })).sort((a, b) => a.at - b.at);
    for (const { id } of order) {
      const object = objects.get(id);
      if (object !== undefined) take(id, object);
    }
    return Promise.resolve();
  };
  return { asked, questions, history: historyFrom({ read, readAhead }) };
}

describe('a long history that is read ahead', () => {
  test('is judged in the same order, whatever is handed over and however', async () => {
    const seed = chooseSeed();
    const random = seeded(seed);
    const { graph, all } = longHistory(120);
    const head = all.at(-1) ?? '';
    const alone = valueOf(await verdict(graph, head)).judged;
    expect(alone).toHaveLength(all.length);
    for (const share of [0, 0.5, 1]) {
      const some = [...graph.objects.keys()].filter(() => random() < share);
      const { history } = source(graph, some, random);
      const question = { introduction: graph.introduction, head, known: new Set<ObjectId>() };
      expect(valueOf(await judge(question, history)).judged, `seed ${seed}`).toEqual(alone);
    }
  });

  test('is asked for once, and nothing of it one by one after that but the base and allowed_signers', async () => {
    const { graph, all } = longHistory(120);
    const head = all.at(-1) ?? '';
    const { asked, questions, history } = source(graph, all.concat([...graph.objects.keys()]));
    const known = new Set(all.slice(0, 3));
    valueOf(await judge({ introduction: graph.introduction, head, known }, history));
    expect(questions).toEqual([{ head, bases: [graph.introduction, ...known] }]);
    expect(asked.length).toBeLessThan(70);
  });

  test('is not read again to see whether it is above a floor far back (S2)', async () => {
    const { graph, all } = longHistory(120);
    const head = all.at(-1) ?? '';
    const { asked, history } = source(graph, graph.objects.keys());
    const question = { introduction: graph.introduction, head, known: new Set<ObjectId>() };
    const beside = graph.commit([graph.introduction]);
    valueOf(await authenticate({ ...question, floors: [all[0] ?? '', graph.introduction], ...history }));
    expect(asked.length).toBeLessThan(70);
    const below = await authenticate({ ...question, floors: [all[0] ?? '', beside], ...history });
    expect(below).toMatchObject({ failure: { rule: 'S2', where: head } });
  });

  test('keeps the admins of what names none, as it would one by one', async () => {
    const graph = fleet('alice', 'bob');
    let tip = graph.introduction;
    for (let number = 0; number < 120; number += 1) {
      // By turns a file that grants, none, and one that grants nothing.
      const signers = [allow('alice', 'bob'), null, '# nobody\n'][number % 3] ?? null;
      tip = graph.commit([tip], { signers, by: number % 2 === 0 ? 'alice' : 'bob' });
    }
    const { history } = source(graph, graph.objects.keys());
    const question = { introduction: graph.introduction, known: new Set<ObjectId>() };
    const judged = valueOf(await judge({ ...question, head: tip }, history)).judged;
    expect(judged).toEqual(valueOf(await verdict(graph, tip)).judged);
    const bad = graph.commit([tip], { signers: null, by: 'mallory' });
    expect(await judge({ ...question, head: bad }, history)).toMatchObject({
      failure: { rule: 'S1b', where: bad },
    });
  });

  test('is none while it is short: what reads ahead is not even started', async () => {
    const { graph, all } = longHistory(40);
    const { questions, history } = source(graph, graph.objects.keys());
    const question = { introduction: graph.introduction, head: all.at(-1) ?? '', known: new Set<ObjectId>() };
    valueOf(await judge(question, history));
    expect(questions).toEqual([]);
  });

  test('is refused for the same commit', async () => {
    const { graph, all } = longHistory(100);
    const bad = graph.commit([all.at(-1) ?? ''], { by: 'mallory', signers: allow('mallory') });
    let head = bad;
    for (let number = 0; number < 100; number += 1)
      head = graph.commit([head], { by: 'mallory', signers: allow('mallory') });
    const { history } = source(graph, graph.objects.keys());
    const question = { introduction: graph.introduction, head, known: new Set<ObjectId>() };
    const judged = await judge(question, history);
    expect(judged).toMatchObject({ failure: { rule: 'S1b', where: bad } });
    expect(judged).toEqual(await verdict(graph, head));
  });

  test('counts nothing that is handed over and cannot be reached', async () => {
    const { graph, all } = longHistory(100);
    graph.commit([graph.introduction], { by: 'mallory' });
    const { history } = source(graph, graph.objects.keys());
    const question = { introduction: graph.introduction, head: all.at(-1) ?? '', known: new Set<ObjectId>() };
    expect(valueOf(await judge(question, history)).judged).toHaveLength(all.length);
  });

  test('is a failure and no verdict where a commit or a tree is neither handed over nor there', async () => {
    const { graph, all } = longHistory(100);
    const head = all.at(-1) ?? '';
    const lost = all[20] ?? '';
    graph.objects.delete(lost);
    const { history } = source(graph, graph.objects.keys());
    const question = { introduction: graph.introduction, head, known: new Set<ObjectId>() };
    expect(await judge(question, history)).toMatchObject({ failure: { kind: 'unexpected', where: lost } });
  });
});
