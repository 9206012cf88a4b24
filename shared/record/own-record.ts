import type { ObjectId } from '../objects/object.ts';
import type { RunningSystem, StateEvent } from './status.ts';
import type { StateRecord } from './tip.ts';

/** What a host needs to know of a record of its own that it finds on the server; a chain may have very many. */
export interface OwnRecord {
  readonly id: ObjectId;
  readonly seq: number;
  /** RFC 3339. */
  readonly at: string;
  readonly event: StateEvent;
  readonly installation: string;
  readonly accepted: ObjectId | null;
  readonly system: RunningSystem | null;
}

export function ownRecord({ id, seq, at, event, status }: StateRecord): OwnRecord {
  const { installation, accepted, system } = status;
  return { id, seq, at, event, installation, accepted, system };
}
