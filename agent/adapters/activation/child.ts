import type { Programs } from '../../ports.ts';
import type { Activations } from '../../unit-ports.ts';

/** Bytes that an activation may print before it counts as out of its mind. */
const outputCap = 64 * 2 ** 20;

/**
 * Activations as children of the agent, where no systemd runs the machine. A stop waits for them, whatever the signal,
 * for half a switch is worse than a late stop; what a killed agent left of one is ended.
 */
export function childActivations(programs: Programs): Activations {
  return {
    run: (order, { timeout }) =>
      programs.run(
        { ...order, outputCap, leftovers: 'leave', onStart: (child) => order.onStart(child) },
        { timeout, signal: new AbortController().signal },
      ),
    async outcome({ child }) {
      if (child !== undefined) await programs.endLeftover(child);
      return null;
    },
  };
}
