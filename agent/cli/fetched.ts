import { ok, type Result } from '../../shared/failure.ts';
import type { Clone } from '../clone-ports.ts';
import { fleetRefs, type FleetRefs } from '../fleet/read.ts';
import type { Context } from './verb.ts';

/** The clone around the current directory, and what its remote has now. */
export interface Fetched {
  readonly clone: Clone;
  readonly refs: FleetRefs;
}

export async function fetchFleet({ roles, signal }: Context): Promise<Result<Fetched>> {
  const clone = await roles.clone(signal);
  if (!clone.ok) return clone;
  const fetched = await clone.value.fetch();
  if (!fetched.ok) return fetched;
  const refs = await fleetRefs(clone.value);
  return refs.ok ? ok({ clone: clone.value, refs: refs.value }) : refs;
}
