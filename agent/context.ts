import type { HeldByHand } from '../shared/cycle/hold.ts';
import type { Stage } from '../shared/failure.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import type { Memory } from './memory.ts';
import type { StateTip } from './git-ports.ts';
import type { Effects, Senses } from './seam.ts';

/** What one cycle walks with. */
export interface Context {
  readonly settings: AgentSettings;
  /** The agent's own version. */
  readonly version: string;
  /** The absolute folder below which this host's paths lie; `/` on a real machine. */
  readonly root: string;
  /** What this host cannot promise, said in every status. */
  readonly guarantees: readonly string[];
  /** The effects as one stage may use them. */
  readonly effects: (stage: Stage) => Effects;
  readonly senses: Senses;
  readonly memory: Memory;
  readonly sight: Sight;
  /** What a person said on the machine, as the cycle found it when it began. */
  readonly byHand: HeldByHand | null;
  /** A digest of settings, key, version and that: what stood under others is looked at again. */
  readonly under: string;
  /** Aborted when the agent shall stop. */
  readonly signal: AbortSignal;
  readonly stopwatch: Stopwatch;
}

/**
 * What this cycle saw of the own state branch, so that a deployment does not ask twice. A push compares and swaps, so a
 * sight that is out of date costs a second look and nothing else.
 */
export interface Sight {
  /** `null` when the server has no such branch; absent while nobody looked, or what was seen is out of date. */
  tip?: StateTip | null;
  /** Whether what was odd about it is said already. */
  isSaid: boolean;
}

/** Time awake that each stage of a cycle took, in seconds. */
export interface Stopwatch {
  readonly seconds: () => Readonly<Record<string, number>>;
  readonly time: <Value>(stage: Stage, work: () => Promise<Value>) => Promise<Value>;
}

/** @param awake milliseconds awake, as `Clock.awake` gives them */
export function startStopwatch(awake: () => number): Stopwatch {
  const spent = new Map<Stage, number>();
  return {
    seconds: () => Object.fromEntries([...spent].map(([stage, ms]) => [stage, Math.round(ms) / 1000])),
    async time(stage, work) {
      const begin = awake();
      try {
        return await work();
      } finally {
        spent.set(stage, (spent.get(stage) ?? 0) + awake() - begin);
      }
    },
  };
}
