import type { Failure, Result } from '../failure.ts';
import type { ObjectId } from '../objects/object.ts';
import { notWell, well, type Checked } from './checked.ts';

/** What a server showed when it was asked for its branches. */
export interface Seen {
  /** The configuration branch; `null` when the server has none of that name. */
  readonly head: ObjectId | null;
}

export interface RemoteFacts {
  /** `remote` or `stateRemote` of `agent.yaml`, or the name of a clone's remote. */
  readonly name: string;
  /** Without credentials. */
  readonly where: string;
  /** `null` where no configuration is expected, as in a `stateRemote`. */
  readonly branch: string | null;
  readonly seen: Result<Seen>;
}

/** Whether the server can be reached, lets this machine in, and has the branch. */
export function checkRemote({ name, where, branch, seen }: RemoteFacts): readonly Checked[] {
  if (!seen.ok) return [notWell('remote', seen.failure)];
  if (branch === null) return [well('remote', `${name} ${where} can be reached`)];
  if (seen.value.head === null) return [notWell('remote', noBranch(name, where, branch))];
  return [
    well('remote', `${name} ${where} can be reached, and ${branch} is at ${seen.value.head.slice(0, 7)}`),
  ];
}

function noBranch(name: string, where: string, branch: string): Failure {
  return {
    kind: 'unreachable',
    cause: `${name} has no branch ${branch}, or does not show it to this machine`,
    where,
    remedy: `check the name of the branch, or push it: git push ${where} ${branch}`,
  };
}
