/** Running a step's program: once, apart from the agent, and with nothing but what it is given. */
import type { Child } from '../shared/cycle/phase.ts';
import type { Result } from '../shared/failure.ts';
import type { Bounds, Ending } from './ports.ts';
import type { Left } from './unit-ports.ts';

/** What a step yielded, by file name: bytes that are sealed, and in memory only until then (S19). */
export type Yields = ReadonlyMap<string, Uint8Array>;

/** One run of one step. */
export interface StepRunning {
  /** Such as `step-118`: what became of it is found under this name. */
  readonly name: string;
  /** The process, where it is one of the agent's own. */
  readonly child?: Child;
}

export interface StepOrder extends StepRunning {
  /** The program's absolute path, below `cwd`. */
  readonly file: string;
  /** A folder that has nothing but the program and the declared files. */
  readonly cwd: string;
  /**
   * The whole environment, besides the credentials and the two folders that `Steps` makes: `AUTARK_YIELD`, which is empty,
   * and `AUTARK_RESULTS`, which has what earlier steps yielded, each in a folder by its name.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Names of variables; those of this run's `credentials`, each of which was found (`lacking`). */
  readonly credentials: readonly string[];
  readonly earlier: ReadonlyMap<string, Yields>;
  /** False for a step that declares nothing that it destroys: block devices are out of its reach then (S16). */
  readonly reachesDevices: boolean;
  /** Called before the program begins; it begins only once this resolves with `ok`. */
  readonly onStart: (child: Child | undefined) => Promise<Result<void>>;
}

/** How a run ended, and what is left of it: in memory only, until `clear`. */
export interface StepEnded {
  readonly how: 'ended';
  readonly ending: Ending;
  /** The end of what it wrote, both streams in order: bounded, control characters stripped. It may hold secrets. */
  readonly output: string;
  readonly yields: Yields;
  /** What it left and what cannot be kept (folders, links, more than is sealed), in one sentence; `null` for nothing. */
  readonly unkept: string | null;
}

export interface Steps {
  /** The credentials among these that this run of the agent was not given: in its environment, or by systemd (S19). */
  lacking(credentials: readonly string[]): Promise<readonly string[]>;
  /**
   * Runs it to its end. The bounds' signal ends the waiting alone, and only where the program goes on by itself: what is
   * half done on a disk is not ended because the agent is.
   */
  run(order: StepOrder, bounds: Bounds): Promise<StepEnded | Left>;
  /** How one ended that an earlier process began, waited for; `null` when it was cut off, and nothing of it runs. */
  outcome(running: StepRunning, bounds: Bounds): Promise<StepEnded | Left | null>;
  /** Removes all that a run had or left in memory. */
  clear(): Promise<Result<void>>;
}
