import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { failureOf } from '../../shared/fleet/findings.ts';
import type { Fleet } from '../../shared/fleet/fleet.ts';
import { parseFleet } from '../../shared/fleet/parse.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { version } from '../../shared/version.ts';
import type { NamedObject } from '../clone-ports.ts';

/** The name to read `fleet.yaml` of a revision by. */
export function fleetName(revision: ObjectId): string {
  return `${revision}:fleet.yaml`;
}

/** `fleet.yaml` of a revision, among objects that were read by `fleetName`. */
export function fleetIn(
  objects: ReadonlyMap<string, NamedObject>,
  name: string,
  head: ObjectId,
): Result<Fleet> {
  const object = objects.get(name);
  if (object?.type !== 'blob') return fail(noFleet(head));
  const parsed = parseFleet(Buffer.from(object.bytes).toString('utf8'), { file: 'fleet.yaml', version });
  return parsed.ok ? ok(parsed.value) : fail(failureOf(parsed.failure));
}

function noFleet(where: ObjectId): Failure {
  return {
    kind: 'unexpected',
    cause: 'there is no fleet.yaml at the head of the remote’s branch',
    where,
    remedy: 'run `autark init`, and push',
  };
}
