import { fail, ok, type Result } from '../failure.ts';
import type { ObjectId } from '../objects/object.ts';
import { openAdmins, type Admins } from './admins.ts';
import type { History } from './history.ts';
import { badSignature, belowFloor, notAnAdmin, stranger, type Refusal } from './refusal.ts';
import { collect, reachable, type Link } from './walk.ts';

export { type History } from './history.ts';
export { type Refusal, type Rule } from './refusal.ts';

/** What is asked about a revision. */
export interface Question {
  readonly introduction: ObjectId;
  readonly head: ObjectId;
  /**
   * Revisions found authentic before, from the same introduction: their history is not walked again. It makes
   * the verdict quicker and never another one.
   */
  readonly known: ReadonlySet<ObjectId>;
}

export interface Authentic {
  /** The commits that were judged, all authentic themselves, parents first: to be known the next time. */
  readonly judged: readonly ObjectId[];
  /** What the walk read, so that a question that follows need not read it again. */
  readonly links: Links;
}

type Links = ReadonlyMap<ObjectId, Pick<Link, 'parents'>>;

/**
 * Whether a revision is authentic (S1): it is the introduction, or every commit reachable from it and not from
 * the introduction (a) descends from the introduction and (b) is signed by an admin of all its parents. A
 * revision from which the introduction descends fails (a): otherwise it would pass for want of commits
 * to judge. Dates and ways by which a host came do not count.
 *
 * Pure but for the history, which is asked for one object at a time. A commit that cannot be read is a failure.
 */
export async function judge(question: Question, history: History): Promise<Result<Authentic, Refusal>> {
  const { introduction, head, known } = question;
  const bases = new Set([introduction, ...known]);
  if (bases.has(head)) return ok({ judged: [], links: new Map() });
  const links = await collect(history, head, bases);
  if (!links.ok) return links;
  const above = descendants(links.value, bases);
  const outside = [...links.value.keys()].filter((id) => !above.has(id));
  const strange = await findStranger(question, outside, history);
  if (!strange.ok) return strange;
  const admins = openAdmins(history, introduction, links.value);
  for (const id of above) {
    const link = links.value.get(id);
    // Without waiting where nothing is waited for, as in the walk.
    if (link === undefined || isPlainlySigned(link, admins)) continue;
    const refusal = await checkSigner(id, link, admins);
    if (!refusal.ok) return refusal;
  }
  return ok({ judged: [...above], links: links.value });
}

/** Of a map with parents first, the commits with a base among their ancestors. */
function descendants(
  links: ReadonlyMap<ObjectId, Link>,
  bases: ReadonlySet<ObjectId>,
): ReadonlySet<ObjectId> {
  const above = new Set<ObjectId>();
  for (const [id, { parents }] of links) {
    if (parents.some((parent) => bases.has(parent) || above.has(parent))) above.add(id);
  }
  return above;
}

/** S1 (a): what does not descend from the introduction must be what the introduction descends from. */
async function findStranger(
  { introduction, head }: Question,
  outside: readonly ObjectId[],
  history: History,
): Promise<Result<void, Refusal>> {
  if (outside.includes(head)) return fail(stranger(head, introduction, true));
  if (outside.length === 0) return ok(undefined);
  const below = await reachable(history, introduction, new Set(outside));
  if (!below.ok) return below;
  const first = outside.find((id) => !below.value.has(id));
  return first === undefined ? ok(undefined) : fail(stranger(first, introduction, false));
}

/** Whether `checkSigner` would find nothing, by what was read before; where it is not, that is for it to say. */
function isPlainlySigned({ parents, signer }: Link, admins: Admins): boolean {
  return signer.ok && parents.every((parent) => admins.early(parent)?.has(signer.value) === true);
}

/** S1 (b) and S3. */
async function checkSigner(
  id: ObjectId,
  { parents, signer }: Link,
  admins: Admins,
): Promise<Result<void, Refusal>> {
  if (!signer.ok) return fail(badSignature(id, signer.failure, parents[0]));
  for (const parent of parents) {
    const keys = await admins.read(parent);
    if (!keys.ok) return keys;
    if (keys.value.has(signer.value)) continue;
    return fail(notAnAdmin(id, { parent, key: signer.value, hasAdmins: keys.value.size > 0 }));
  }
  return ok(undefined);
}

/** What a revision must not go below (S2). */
export interface Measure {
  readonly head: ObjectId;
  readonly floors: readonly ObjectId[];
  /**
   * Revisions that were found to descend from all these floors before: to descend from one of them is enough,
   * and spares the walk to a floor far back.
   */
  readonly settled?: ReadonlySet<ObjectId>;
  /** Commits that were read before. */
  readonly links?: Links;
}

/**
 * Whether a revision descends from all floors, or is one of them (S2). The failure names the first that it
 * does not descend from.
 */
export async function descends(
  { head, floors, settled, links }: Measure,
  history: Pick<History, 'commit'>,
): Promise<Result<void, Refusal>> {
  const found = await reachable(history, head, new Set(floors), { settled, links });
  if (!found.ok) return found;
  const missed = floors.find((floor) => !found.value.has(floor));
  return missed === undefined ? ok(undefined) : fail(belowFloor(head, missed));
}

/**
 * Whether a revision lies between the introduction and a head that is authentic, both included: then it is authentic
 * itself (S1), and stays so whoever is an admin now.
 */
export async function liesBelow(
  { introduction, head, revision }: Pick<Question, 'introduction' | 'head'> & { readonly revision: ObjectId },
  history: Pick<History, 'commit'>,
): Promise<Result<boolean>> {
  const below = await reachable(history, head, new Set([revision]));
  if (!below.ok || !below.value.has(revision)) return below.ok ? ok(false) : below;
  const above = await reachable(history, revision, new Set([introduction]));
  return above.ok ? ok(above.value.has(introduction)) : above;
}

/** Authentic (S1), and not below a floor (S2): what a host asks before it accepts a revision. */
export async function authenticate(question: Question & Measure & History): Promise<Result<void, Refusal>> {
  const authentic = await judge(question, question);
  if (!authentic.ok) return authentic;
  return descends({ ...question, links: authentic.value.links }, question);
}
