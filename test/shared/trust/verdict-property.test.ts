import { expect, test } from 'vitest';
import type { ObjectId } from '../../../shared/objects/object.ts';
import { judge } from '../../../shared/trust/verdict.ts';
import { chooseSeed, seeded } from '../../agent/adapters/scratch.ts';
import { allow, makeGraph, type Graph } from './graph.ts';

/** What the rule needs to know of a commit, beside the objects that are made of it. */
interface Spec {
  readonly id: ObjectId;
  readonly parents: readonly Spec[];
  /** Whom its allowed_signers names; nobody when it is missing, empty or garbled. */
  readonly names: readonly string[];
  readonly by: string | null;
}

const people = ['alice', 'bob', 'carol'] as const;

/** Security rule S1 read aloud: sets and recursion, no cleverness. Only for graphs of a few commits. */
function oracle(introduction: Spec) {
  const reach = (spec: Spec): Set<Spec> =>
    new Set([spec, ...spec.parents.flatMap((parent) => [...reach(parent)])]);
  const admins = (spec: Spec): readonly string[] => {
    if (spec.names.length > 0 || spec === introduction) return spec.names;
    const sets = spec.parents.map(admins);
    return people.filter((name) => sets.length > 0 && sets.every((names) => names.includes(name)));
  };
  const isGood = (spec: Spec): boolean =>
    reach(spec).has(introduction) &&
    spec.by !== null &&
    spec.parents.every((parent) => admins(parent).includes(spec.by ?? ''));
  return (head: Spec): boolean => {
    if (head === introduction) return true;
    const below = reach(introduction);
    return !below.has(head) && [...reach(head)].every((spec) => below.has(spec) || isGood(spec));
  };
}

/** Mostly linear and well signed, so that both verdicts are frequent. */
function randomHistory(graph: Graph, random: () => number): { introduction: Spec; all: readonly Spec[] } {
  const below = (limit: number): number => Math.floor(random() * limit);
  const all: Spec[] = [];
  const before = below(3);
  for (let count = 0; count < 6 + below(8); count += 1) {
    const isStart = count <= before;
    const pick = (): Spec | undefined => all[Math.max(0, all.length - 1 - below(random() < 0.7 ? 2 : 6))];
    const wanted = random() < 0.03 ? 0 : random() < 0.3 ? 2 + below(2) : 1;
    const parents = [...new Set(Array.from({ length: wanted }, pick))].filter((spec) => spec !== undefined);
    const chosen = people.filter(() => random() < 0.85);
    const kind = random();
    const names = kind < 0.25 && !isStart ? [] : chosen;
    const useless = [null, '', 'garbage\n'][below(3)] ?? null;
    const signers = names.length === 0 ? useless : allow(...names);
    const by = random() < 0.02 ? null : (people[below(random() < 0.8 ? 1 : 3)] ?? null);
    const id = graph.commit(
      parents.map((parent) => parent.id),
      { signers, by },
    );
    all.push({ id, parents, names, by });
  }
  const introduction = all[Math.min(before, all.length - 1)];
  if (introduction === undefined) throw new Error('there is always one commit');
  return { introduction, all };
}

test('the verdict is the rule’s, and does not depend on what is known', async () => {
  const seed = chooseSeed();
  const random = seeded(seed);
  const counted = { authentic: 0, refused: 0, shortened: 0 };
  for (let round = 0; round < 100; round += 1) {
    const graph = makeGraph();
    const { introduction, all } = randomHistory(graph, random);
    const isAuthentic = oracle(introduction);
    const authentic = all.filter(isAuthentic).map(({ id }) => id);
    for (const head of all) {
      const ask = (known: ReadonlySet<ObjectId>) =>
        judge({ introduction: introduction.id, head: head.id, known }, graph.history);
      const fresh = await ask(new Set());
      expect(fresh.ok, `seed ${seed}, round ${round}`).toBe(isAuthentic(head));
      counted[fresh.ok ? 'authentic' : 'refused'] += 1;
      const known = new Set(authentic.filter(() => random() < 0.5));
      const again = await ask(known);
      // The same refusal of the same commit; what was known is not judged again.
      if (!fresh.ok || !again.ok) expect(again, `seed ${seed}, round ${round}`).toEqual(fresh);
      else {
        expect(fresh.value.judged).toEqual(expect.arrayContaining([...again.value.judged]));
        if (again.value.judged.length < fresh.value.judged.length) counted.shortened += 1;
        expect(authentic).toEqual(expect.arrayContaining([...fresh.value.judged]));
      }
    }
  }
  expect(Math.min(...Object.values(counted)), `seed ${seed}: ${JSON.stringify(counted)}`).toBeGreaterThan(
    100,
  );
});
