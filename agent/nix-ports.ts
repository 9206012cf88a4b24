/**
 * What the agent needs of Nix. Plain data, as in ports.ts.
 */
import type { Result } from '../shared/failure.ts';
import type { FlakeTree } from '../shared/nix/arguments.ts';
import type { NixSuspect } from '../shared/nix/failure.ts';
import type { NixProgress, NixReport } from '../shared/nix/report.ts';
import type { SystemFacts } from '../shared/nix/system.ts';
import type { Bounds, Ending, Order } from './ports.ts';

/** A NixOS system to be built from a written tree. */
export interface NixOrder extends Pick<Order, 'onStart'> {
  readonly tree: FlakeTree;
  readonly attr: string;
  /** Where the root that keeps the result from garbage collection is made; nothing is there yet. */
  readonly link: string;
  /** Called now and then, when there is progress to tell. */
  readonly onProgress: (progress: NixProgress) => void;
}

/** How a Nix ended, and with what. */
export interface NixRan {
  readonly ending: Ending;
  readonly report: NixReport;
  /** The store path of the system, when there is one. */
  readonly path: string | null;
}

/** What a failed build may be blamed on, as far as Nix itself can be asked; in words what it said then. */
export interface NixSuspicion {
  readonly suspect: NixSuspect;
  readonly said: string;
}

/**
 * Nix, the store behind it and the system profile. Built means valid in the store: a path that merely exists may be
 * what a killed build left.
 */
export interface Nix {
  /** Names the Nix that would build; a failure where there is none. Spawns nothing. */
  identity(): Promise<Result<string>>;
  /** Evaluates and builds; with a path, the store that it lies in has been synced. */
  build(order: NixOrder, bounds: Bounds): Promise<Result<NixRan>>;
  /** Asks, after a failure, whether the store, the lock file and the inputs are well. */
  suspect(tree: FlakeTree, bounds: Bounds): Promise<NixSuspicion>;
  /** A failure when nobody can tell. */
  isValid(path: string, bounds: Bounds): Promise<Result<boolean>>;
  /** What decides whether and how a system may be activated. */
  inspect(path: string): Promise<SystemFacts>;
  /** The system that this machine runs, whoever put it there; `null` when it runs none. */
  current(): Promise<string | null>;
  /** Makes a system the one that the profile names, and so the boot default; synced. */
  setProfile(path: string, bounds: Bounds): Promise<Result<void>>;
}
