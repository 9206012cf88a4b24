import type { Failure } from '../failure.ts';
import type { Baseline } from '../health/baseline.ts';
import type { ObjectId } from '../objects/object.ts';
import type { Status } from '../record/status.ts';

/** A process that was started on behalf of a phase: the start time tells it from a later one with its pid. */
export interface Child {
  readonly pid: number;
  /** Clock ticks since boot, field 22 of proc_pid_stat(5). */
  readonly started: number;
  readonly boot: string;
}

/** How a system is activated: now and from the next boot on, only from then on, or only until then. */
export type Mode = 'switch' | 'boot' | 'test';

/** A signed record that waits in the outbox, or did. */
export interface Waiting {
  readonly seq: number;
  readonly id: ObjectId;
}

/** A state record that is decided but may not be committed yet: everything the commit's bytes depend on. */
export interface Draft {
  readonly subject: string;
  readonly detail: readonly string[];
  readonly status: Status;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** True when the record's revision becomes a parent. */
  readonly deploys: boolean;
  /** The newest record of the machine before, under this name: a parent of this machine's first record. */
  readonly replaces?: ObjectId;
  /** By path, the blobs in the record's tree besides `status.json`; absent in drafts of agents that had none. */
  readonly sealed?: Readonly<Record<string, ObjectId>>;
}

/** What a switch tries, and on which terms: enough to know it again once it has failed. */
export interface Tried {
  readonly digest: string;
  readonly path: string;
  /** A digest of what it is judged by, as `termsOf` makes it. */
  readonly terms: string;
}

/**
 * Where the cycle stands. Written before each effect; after a crash it says what to finish or undo. Timeouts
 * are those of the host as planned, in milliseconds.
 *
 *     idle ─▶ step ─▶ record ─▶ idle
 *     idle ─▶ build ─▶ switch ─▶ confirm ─▶ record ─▶ idle
 *               │         │         │          ▲
 *               ▼         └────┬────┘          │
 *              idle        rollback ───────────┘
 *
 * `idle` may go to `record` directly (held, failed, unchanged, resumed), and `build` as well; and to `switch` when a
 * person goes back by hand. `left` is then the revision that ran before, and absent in any other switch.
 */
export type Phase =
  | { readonly at: 'idle' }
  | { readonly at: 'build'; readonly revision: ObjectId; readonly path: string; readonly child?: Child }
  | {
      /** A step's program runs, or did: its intent is recorded, and delivered. */
      readonly at: 'step';
      readonly step: string;
      /** Under which it is known what became of it. */
      readonly name: string;
      readonly revision: ObjectId;
      readonly timeout: number;
      readonly child?: Child;
    }
  | {
      readonly at: 'switch';
      readonly from: number | null;
      readonly to: number;
      readonly revision: ObjectId;
      /** The store path that a NixOS machine ran before its first generation. */
      readonly before?: string;
      /** The agent that was current before, where this switch changes it: what is gone back to has it again. */
      readonly agentBefore?: string;
      /** How often this activation was begun; bounded, so that a machine never loops. */
      readonly attempt: number;
      readonly mode: Mode;
      readonly timeout: number;
      readonly child?: Child;
      readonly left?: ObjectId;
      /** Absent in phases begun by an agent that knew of none: the exit code alone counts then. */
      readonly baseline?: Baseline;
      /** Absent in a going back by hand, and in phases begun by an agent that remembered no failed systems. */
      readonly tried?: Tried;
    }
  | {
      readonly at: 'confirm';
      readonly before?: string;
      readonly agentBefore?: string;
      /** How often the agent that came with the generation was begun, so that it confirms; bounded. */
      readonly handed?: number;
      /** For going back; absent without a baseline. */
      readonly timeout?: number;
      readonly baseline?: Baseline;
      readonly tried?: Tried;
      readonly from: number | null;
      readonly to: number;
      readonly revision: ObjectId;
      readonly mode: Mode;
      /** The activation's exit code. */
      readonly exit: number;
      readonly left?: ObjectId;
      /** With mode `boot`: the boot id under which it became the boot default. In another boot it has to prove itself. */
      readonly waitsIn?: string;
      /** Whether a record says that it was deployed, as one does before the reboot. */
      readonly isRecorded?: true;
    }
  | {
      readonly at: 'rollback';
      readonly from: number | null;
      readonly before?: string;
      readonly agentBefore?: string;
      readonly attempted: ObjectId;
      readonly failure: Failure;
      readonly baseline?: Baseline;
      readonly tried?: Tried;
      /** True when all that was wrong is that the server was out of reach. */
      readonly isCutOff?: boolean;
      readonly attempt: number;
      readonly mode: Mode;
      readonly timeout: number;
      readonly child?: Child;
      readonly left?: ObjectId;
      readonly waitsIn?: string;
    }
  | {
      readonly at: 'record';
      readonly draft: Draft;
      /** The record of an abandoned chain that this one takes the place of (S9). */
      readonly instead?: Waiting;
      /** More of those, oldest first, to be made again after this one: no history is lost (P6). */
      readonly again?: readonly Waiting[];
    };

/**
 * How often an activation is begun before the agent goes back, a going back before it gives up, an agent that came with a
 * generation before it counts as broken, and a system tried that the world kept from being confirmed before it counts as
 * failed.
 */
export const attempts = { switch: 2, rollback: 3, agent: 2, world: 3 } as const;
