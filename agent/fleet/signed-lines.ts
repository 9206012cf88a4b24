import { fail, ok, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { judge } from '../../shared/trust/verdict.ts';
import type { Clone } from '../clone-ports.ts';
import { withHistory } from './authority.ts';

export interface Unsigned {
  readonly introduction: ObjectId;
  /** A commit that is not authentic. */
  readonly head: ObjectId;
  /** A revision known to be authentic, as far up as there is one. */
  readonly base: ObjectId;
}

/**
 * The newest authentic revisions at or below a head that is not authentic, by whatever way they can be reached: mostly
 * one. Several are lines that admins signed side by side and that somebody else joined: nobody may choose between them
 * but a commit that is signed above all of them (S1).
 */
export async function signedLines(
  clone: Clone,
  { introduction, head, base }: Unsigned,
): Promise<Result<readonly ObjectId[]>> {
  const commits = await clone.between([head, base]);
  if (!commits.ok) return commits;
  return withHistory(clone, async (history) => {
    const authentic = new Set([base]);
    const followed = new Set<ObjectId>();
    // Parents first: what stands on something that is not authentic is not either.
    for (const [id, parents] of [...commits.value].reverse()) {
      const known = parents.filter((parent) => commits.value.has(parent));
      if (id === base || known.some((parent) => !authentic.has(parent))) continue;
      const judged = await judge({ introduction, head: id, known: new Set([base, ...known]) }, history);
      // An object that this clone lacks says nothing of who signed it.
      if (!judged.ok && judged.failure.rule === undefined) return fail(judged.failure);
      if (!judged.ok) continue;
      authentic.add(id);
      for (const parent of parents) followed.add(parent);
    }
    return ok([...authentic].filter((id) => !followed.has(id)));
  });
}
