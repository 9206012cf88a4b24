import { fail, ok, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { checkOlder } from '../../shared/record/older.ts';
import { readRecord, type Found, type Pinned } from '../../shared/record/tip.ts';
import type { History } from '../../shared/trust/history.ts';
import { liesBelow } from '../../shared/trust/verdict.ts';
import type { Clone } from '../clone-ports.ts';
import { withHistory, type Authority } from './authority.ts';
import { fleetIn, fleetName } from './fleet-file.ts';
import { foundIn, namesOf } from './state-objects.ts';

/** The records of a machine that had a host's name before, by the newest of them. */
export interface Section {
  readonly host: string;
  readonly tip: ObjectId;
  /** The genesis of the machine that names it. */
  readonly follower?: ObjectId | undefined;
}

/** What was pinned for a section, or a sentence that says why nobody vouches for it. */
export type Pin = Result<Pinned, string>;

/**
 * What the records of older machines are held against (S8): the key and genesis that the revision pinned which the
 * newest of them accepted. That revision must be one of the branch's own: what a key may sign that an admin removed
 * since, or on a branch that nobody took, counts for nothing.
 * @param sections at most one a host
 */
export async function pinnedThen(
  clone: Clone,
  authority: Authority,
  sections: readonly Section[],
): Promise<Result<ReadonlyMap<string, Pin>>> {
  if (sections.length === 0) return ok(new Map());
  const objects = await clone.read(sections.flatMap(({ tip }) => namesOf(tip)));
  if (!objects.ok) return objects;
  return withHistory(clone, async (history) => {
    const pins = new Map<string, Pin>();
    for (const section of sections) {
      const found = foundIn(objects.value, section.tip);
      const pin = found.ok ? await pinOf(clone, { authority, history }, section, found.value) : ok(found);
      if (!pin.ok) return pin;
      pins.set(section.host, pin.value);
    }
    return ok(pins);
  });
}

interface Ground {
  readonly authority: Authority;
  readonly history: History;
}

async function pinOf(
  clone: Clone,
  { authority, history }: Ground,
  { host, follower }: Section,
  found: Found,
): Promise<Result<Pin>> {
  const record = readRecord(found);
  if (!record.ok) return ok(fail(record.failure.cause));
  const { status, genesis } = record.value;
  if (genesis !== undefined && genesis === follower)
    return ok(fail('it is of the very machine that follows it'));
  const { accepted } = status;
  if (accepted === null) return ok(fail('it accepted no revision'));
  const question = { introduction: authority.introduction.id, head: authority.revision, revision: accepted };
  const below = await liesBelow(question, history);
  if (!below.ok || !below.value)
    return ok(fail(`it accepted ${accepted}, which the branch shown here does not hold`));
  const objects = await clone.read([fleetName(accepted)]);
  if (!objects.ok) return objects;
  const then = fleetIn(objects.value, fleetName(accepted), accepted);
  if (!then.ok)
    return ok(fail(`fleet.yaml cannot be read in ${accepted}, which it accepted: ${then.failure.cause}`));
  return ok(checkOlder(found, then.value, host));
}
