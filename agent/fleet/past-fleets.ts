import type { Fleet } from '../../shared/fleet/fleet.ts';
import { parseFleet } from '../../shared/fleet/parse.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { isNamedIn } from '../../shared/secrets/seen.ts';
import type { ObjectSource } from '../../shared/trust/history.ts';
import { version } from '../../shared/version.ts';
import type { Clone } from '../clone-ports.ts';
import { readCommit, readText } from '../objects/read.ts';
import { withObjects } from './authority.ts';

/** Revisions that are looked through: whoever was taken out is named by one shortly before, or by none. */
const most = 1000;

/**
 * These fleets, and of the revisions before, newest first, those that name a key which none of them names: a person is told of
 * somebody who was taken out by the name that they had. What cannot be read names nobody.
 * @param revision where the first-parent chain begins
 */
export async function withPast(
  objects: ObjectSource,
  revision: ObjectId,
  fleets: readonly Fleet[],
  keys: readonly string[],
): Promise<readonly Fleet[]> {
  const past: Fleet[] = [];
  const unnamed = new Set(keys.filter((key) => !isNamedIn(fleets, key)));
  let at: ObjectId | undefined = revision;
  for (let count = 0; unnamed.size > 0 && at !== undefined && count < most; count += 1) {
    const read = await readCommit(objects, at);
    if (!read.ok) break;
    const { tree, parents }: { tree: ObjectId; parents: readonly ObjectId[] } = read.value.commit;
    const text = await readText(objects, tree, 'fleet.yaml');
    const fleet = text.ok ? fleetWith(text.value ?? '', unnamed) : undefined;
    for (const key of fleet === undefined ? [] : [...unnamed].filter((each) => isNamedIn([fleet], each)))
      unnamed.delete(key);
    if (fleet !== undefined) past.push(fleet);
    at = parents[0];
  }
  return [...fleets, ...past];
}

/** Parsing takes its time, and most texts have none of the keys. */
function fleetWith(text: string, keys: ReadonlySet<string>): Fleet | undefined {
  if (![...keys].some((key) => text.includes(key))) return undefined;
  const fleet = parseFleet(text, { file: 'fleet.yaml', version });
  return fleet.ok ? fleet.value : undefined;
}

/** The same from the commit that is checked out; without such a key nothing is read. */
export async function fleetsNaming(
  clone: Clone,
  fleets: readonly Fleet[],
  keys: readonly string[],
): Promise<readonly Fleet[]> {
  const { head } = clone;
  if (head === null || keys.every((key) => isNamedIn(fleets, key))) return fleets;
  return withObjects(clone, (objects) => withPast(objects, head, fleets, keys));
}
