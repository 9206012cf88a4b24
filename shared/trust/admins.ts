import { ok, type Result } from '../failure.ts';
import type { ObjectId } from '../objects/object.ts';
import { parseAllowedSigners } from './allowed-signers.ts';
import type { History } from './history.ts';
import type { Link } from './walk.ts';

/** Keys, each `TYPE BASE64`. */
export type Keys = ReadonlySet<string>;

type Place = Pick<Link, 'tree' | 'parents'>;

export interface Admins {
  /** Without waiting, where a commit that was read before names admins itself: nearly all do. */
  early(id: ObjectId): Keys | undefined;
  read(id: ObjectId): Promise<Result<Keys>>;
}

/**
 * Who may sign above a commit (S1): whom its `allowed_signers` names; where that is missing or grants nothing,
 * the intersection of its parents' admins. The introduction has none but its own, and a commit without
 * parents none at all.
 * @param known commits that were read already
 */
export function openAdmins(
  history: History,
  introduction: ObjectId,
  known: ReadonlyMap<ObjectId, Place>,
): Admins {
  const decided = new Map<ObjectId, Keys>();
  const parse = openParser();
  const place = async (id: ObjectId): Promise<Result<Place>> => {
    const link = known.get(id);
    if (link !== undefined) return ok(link);
    const read = await history.commit(id);
    return read.ok ? ok(read.value.commit) : read;
  };

  /** Decides one commit, or gives the parents that must be decided before it. */
  const decide = async (id: ObjectId): Promise<Result<readonly ObjectId[]>> => {
    const at = await place(id);
    if (!at.ok) return at;
    const text = await history.signersAt(at.value.tree);
    if (!text.ok) return text;
    const named = parse(text.value);
    const parents = named.size > 0 || id === introduction ? [] : at.value.parents;
    const sets = parents.flatMap((parent) => decided.get(parent) ?? []);
    if (sets.length < parents.length) return ok(parents.filter((parent) => !decided.has(parent)));
    decided.set(id, parents.length === 0 ? named : intersection(sets));
    return ok([]);
  };

  return {
    early(id) {
      const link = known.get(id);
      const text = link === undefined ? undefined : history.signersRead(link.tree);
      const named = text === undefined ? undefined : parse(text);
      return named !== undefined && named.size > 0 ? named : decided.get(id);
    },
    async read(id) {
      const waiting = [id];
      for (let next = waiting.at(-1); next !== undefined; next = waiting.at(-1)) {
        const before = decided.has(next) ? ok([]) : await decide(next);
        if (!before.ok) return before;
        if (before.value.length === 0) waiting.pop();
        else waiting.push(...before.value);
      }
      return ok(decided.get(id) ?? nobody);
    },
  };
}

const nobody: Keys = new Set();

/** Parses each text once: most revisions share one. */
function openParser(): (text: string | null) => Keys {
  const parsed = new Map<string, Keys>();
  return (text) => {
    if (text === null) return nobody;
    const known = parsed.get(text);
    if (known !== undefined) return known;
    const keys = new Set(parseAllowedSigners(text).admins.map(({ key }) => key));
    parsed.set(text, keys);
    return keys;
  };
}

function intersection([first = new Set(), ...others]: readonly Keys[]): Keys {
  return others.length === 0
    ? first
    : new Set([...first].filter((key) => others.every((keys) => keys.has(key))));
}
