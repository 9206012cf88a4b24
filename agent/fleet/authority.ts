import { fail, ok, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { Remembered } from '../../shared/record/remembered.ts';
import type { Refusal } from '../../shared/trust/refusal.ts';
import type { History, Question } from '../../shared/trust/verdict.ts';
import type { Clone, ObjectReader } from '../clone-ports.ts';
import { introductionOf, type Introduction } from './introduction.ts';

/** Whose keys and names a reader goes by: those that an authentic revision pins (S8). */
export interface Authority {
  readonly introduction: Introduction;
  /** The newest revision known to be authentic: mostly the head itself. */
  readonly revision: ObjectId;
  /** Why that is not the head; `null` when it is. */
  readonly problem: Refusal | null;
  /** Commits that were found authentic just now, when the head is. */
  readonly judged: readonly ObjectId[];
}

export interface Thoroughness {
  /** Nothing that was found authentic before is believed: every commit is judged again. */
  readonly isCold: boolean;
}

/**
 * Judges the head of the configuration branch, as hosts do (S1). What was found authentic before is not walked
 * again, and a head that does not descend from it is a step back (S2).
 */
export async function findAuthority(
  clone: Clone,
  head: ObjectId,
  remembered: Remembered | null,
  { isCold }: Thoroughness = { isCold: false },
): Promise<Result<Authority>> {
  const found = await introductionOf(clone, head, remembered);
  if (!found.ok) return found;
  const introduction = found.value;
  const before = remembered?.introduction === introduction.id ? remembered.authentic : null;
  const known = new Set(before === null ? [] : [before]);
  if (before === head && !isCold) return ok({ introduction, revision: head, problem: null, judged: [] });
  return withHistory(clone, async (history) => {
    const { descends, judge } = await import('../../shared/trust/verdict.ts');
    const question = { introduction: introduction.id, head, known: isCold ? new Set<ObjectId>() : known };
    const instead = async (problem: Refusal): Promise<Result<Authority>> => {
      const revision = before ?? (await newestAuthentic(clone, question, history));
      return revision === null ? fail(problem) : ok({ introduction, revision, problem, judged: [] });
    };
    const judged = await judge(question, history);
    if (!judged.ok) return instead(judged.failure);
    const { links, judged: commits } = judged.value;
    const higher = await descends({ head, floors: [...known], links }, history);
    if (!higher.ok) return instead(higher.failure);
    return ok({ introduction, revision: head, problem: null, judged: commits });
  });
}

/** The clone's objects for as long as the work takes. */
export async function withObjects<Value>(
  clone: Clone,
  work: (objects: ObjectReader) => Promise<Value>,
): Promise<Value> {
  const objects = await clone.objects();
  try {
    return await work(objects);
  } finally {
    await objects.close();
  }
}

/** The same as the verdict wants them. */
export async function withHistory<Value>(
  clone: Clone,
  work: (history: History) => Promise<Value>,
): Promise<Value> {
  const { historyFrom } = await import('../../shared/trust/history.ts');
  return withObjects(clone, (objects) => work(historyFrom(objects)));
}

/**
 * On the first-parent chain, where nothing above what is not authentic can be authentic: so the border is found by
 * halving.
 */
async function newestAuthentic(
  clone: Clone,
  { introduction, head }: Pick<Question, 'introduction' | 'head'>,
  history: History,
): Promise<ObjectId | null> {
  const { judge } = await import('../../shared/trust/verdict.ts');
  const chain = await clone.firstParents([head]);
  const ids = chain.ok ? [...chain.value.keys()] : [];
  const known = new Set<ObjectId>();
  let [bad, good] = [0, ids.indexOf(introduction)];
  if (good < 0) return null;
  while (good - bad > 1) {
    const middle = Math.floor((bad + good) / 2);
    const id = ids[middle] ?? introduction;
    const judged = await judge({ introduction, head: id, known }, history);
    if (judged.ok) known.add(id);
    if (judged.ok) good = middle;
    else bad = middle;
  }
  return ids[good] ?? null;
}
