/** Generation numbers; `null` where there is none. */
export interface Keepers {
  readonly current: number | null;
  readonly previous: number | null;
  readonly lastGood: number | null;
  /** How many generations to keep besides these three. */
  readonly keep: number;
}

/**
 * Which of all generations stay, in ascending order: the current, the previous and the last good one whatever
 * else is asked, and of the others the newest `keep`. The three are named even if `all` lacks them, so that a list
 * which was read badly never costs one of them (P2, P4).
 */
export function generationsToKeep(all: readonly number[], keepers: Keepers): number[] {
  const named = [keepers.current, keepers.previous, keepers.lastGood].filter((number) => number !== null);
  const others = [...new Set(all)].filter((number) => !named.includes(number)).sort((a, b) => b - a);
  const kept = others.slice(0, Math.max(0, keepers.keep));
  return [...new Set([...named, ...kept])].sort((a, b) => a - b);
}
