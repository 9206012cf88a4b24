import { ok } from '../../../shared/failure.ts';
import type { Watchdog } from '../../unit-ports.ts';

/** Where no systemd runs the machine, nothing outlives the agent: what it left is finished when it starts again. */
export function nobodyWatches(): Watchdog {
  return {
    arm: () => Promise.resolve(ok(undefined)),
    disarm: () => Promise.resolve(ok(null)),
    suspend: () => Promise.resolve(ok(null)),
    fired: () => Promise.resolve(ok(null)),
    fireNow: () => Promise.resolve(ok(false)),
    clear: () => Promise.resolve(ok(undefined)),
  };
}
