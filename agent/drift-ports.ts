/**
 * What the agent needs to see what was changed by hand. Plain data, as in ports.ts.
 */
import type { Sighting } from '../shared/cycle/drift.ts';

/** The links that say what a machine boots and runs. */
export interface Links {
  /** Where they lead now, and the system of this generation. Only reads links; never a failure. */
  look(generation: number): Promise<Sighting>;
}
