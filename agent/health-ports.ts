/** How the machine's health is looked at. Beside ports.ts. */
import type { Check, Sight } from '../shared/health/check.ts';
import type { Bounds } from './ports.ts';

export interface Health {
  /**
   * One try of a check. Whatever goes wrong is what it saw.
   * @param tree the verified tree on disk, for a `command`
   * @param env what a command gets
   */
  look(check: Check, place: HealthPlace, bounds: Bounds): Promise<Sight>;
  /** Sorted; `null` where systemd does not run this machine, or cannot say. */
  failedUnits(): Promise<readonly string[] | null>;
  /** Those, and units that are only starting: perhaps again, after a failure. How they end is nobody's fault who comes later. */
  unwellUnits(): Promise<readonly string[] | null>;
  /** Waits until systemd has no more to start in this boot, or the bounds end. */
  started(bounds: Bounds): Promise<void>;
  /** Waits until the bounds end. */
  pause(bounds: Bounds): Promise<void>;
}

/** Where a command runs. */
export interface HealthPlace {
  /** The verified tree on disk; `null` when no check needs one. */
  readonly tree: string | null;
  readonly env: Readonly<Record<string, string>>;
}
