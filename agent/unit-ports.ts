/**
 * What must outlive the agent: an activation, which may replace it, and the watchdog, which goes back when the agent
 * cannot. Where systemd runs the machine both are units of their own; elsewhere an activation is a child process and
 * nothing watches, which every status says.
 */
import type { Child, Mode } from '../shared/cycle/phase.ts';
import type { Result } from '../shared/failure.ts';
import type { Bounds, Order, Ran } from './ports.ts';

/** One beginning of one activation. */
export interface Begun {
  /** Such as `switch-42-1`: phase, generation, attempt. What became of it is found under this name. */
  readonly name: string;
  /** The process, where it was one of the agent's own. */
  readonly child?: Child;
}

export interface ActivationOrder extends Begun, Pick<Order, 'file' | 'args' | 'cwd' | 'env'> {
  /** Called before the program begins, with its process if it is one of the agent's own; as in `Order`. */
  readonly onStart: (child: Child | undefined) => Promise<Result<void>>;
}

/** Of an activation that goes on without the agent, which was asked to stop: its successor asks what became of it. */
export interface Left {
  readonly how: 'left';
}

export interface Activations {
  /** Runs it to its end; the bounds' signal ends the waiting alone, and only where the program goes on by itself. */
  run(order: ActivationOrder, bounds: Bounds): Promise<Ran | Left>;
  /** How one ended that an earlier process began, waited for; `null` when it was cut off, and nothing of it runs. */
  outcome(begun: Begun, bounds: Bounds): Promise<Ran | Left | null>;
}

/** What the watchdog activates when nobody disarms it. */
export interface WayBack {
  readonly kind: 'nixos' | 'exec';
  /** The system's absolute path. */
  readonly path: string;
  /** `null` for what a NixOS machine ran before its first generation. */
  readonly number: number | null;
  /** The agent to go back to, SHA-256 in hex; absent when the switch changes none. */
  readonly agent?: string;
  /** Where the activation works, and what its whole environment is; no name or value with blanks. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Watch {
  /** The generation that is activated under this watch. */
  readonly generation: number;
  readonly back: WayBack;
  readonly mode: Mode;
  /** Milliseconds awake until it fires. */
  readonly deadline: number;
  /** Milliseconds that going back may take. */
  readonly timeout: number;
  /** True for a generation that runs from the next boot on: the watch begins with that. */
  readonly beginsAtBoot?: true;
}

/** What the watchdog did once it had fired. */
export type Fired =
  /** With the id of the boot in which it went back, which is empty where an older script did not note it. */
  | { readonly how: 'back'; readonly code: number; readonly boot: string }
  /** It was cut off: what runs may be half of each. */
  | { readonly how: 'interrupted' };

export interface Watchdog {
  /** Begins the watch, or begins it anew with another deadline. Durable: a boot in between goes on watching. */
  arm(watch: Watch): Promise<Result<void>>;
  /** Ends the watch, unless it has fired; then this waits for what it does. `null` when it had not. */
  disarm(bounds: Bounds): Promise<Result<Fired | null>>;
  /** The same for this boot alone: the next one goes on watching, unless another watch is armed or this one disarmed. */
  suspend(bounds: Bounds): Promise<Result<Fired | null>>;
  /** The same, and the watch goes on. */
  fired(bounds: Bounds): Promise<Result<Fired | null>>;
  /**
   * Has it go back at once, and start the machine anew if what it goes back from was booted into. The agent is stopped
   * by that, where it runs as a unit. False when there is no watch whose end this could be.
   */
  fireNow(): Promise<Result<boolean>>;
  /** Forgets what was fired, once it is in the journal. */
  clear(): Promise<Result<void>>;
}

/** What runs the agent now: units that were installed, one until the machine is down, or those of its configuration. */
export type Started = 'units' | 'transient' | 'declared';

/** The agent's own units. */
export interface Services {
  /** Why this machine cannot have them; `null` when it can. */
  obstacle(): string | null;
  /** Whether they come with this machine's configuration, as on NixOS. */
  areDeclared(): boolean;
  /** Whether a package of this machine brought them: then they are enabled and disabled, and never written. */
  arePackaged(): boolean;
  /** Sees to it that the agent runs, and on from the next boot where this machine takes units; as often as it is called. */
  install(program: readonly string[]): Promise<Result<Started>>;
  /** Stops and removes them. What they left in `var/lib/autark` stays. */
  uninstall(): Promise<Result<void>>;
}
