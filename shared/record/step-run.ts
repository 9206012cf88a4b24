import type { Examination } from '../disk/examination.ts';
import type { ObjectId } from '../objects/object.ts';

/**
 * One run of a step, as the ledger has it: `started` from its intent on until its result is recorded (S17, S18). `withdrawn` is one
 * whose program was not started, by the word of the process that did not start it: it is no run to anybody.
 */
export interface StepRun {
  readonly step: string;
  /** The approval that it used; `null` when it needed none. */
  readonly approval: string | null;
  readonly outcome: 'started' | 'done' | 'failed' | 'withdrawn';
  /** Object id of `run`. */
  readonly program: ObjectId;
  /** The revision that declared it. */
  readonly revision: ObjectId;
  /** RFC 3339, UTC. */
  readonly began: string;
  readonly ended?: string;
  /** How it ended, as one sentence. */
  readonly how?: string;
  /** The end of what it wrote. */
  readonly output?: string;
  /** By file name, what it yielded: base64 (RFC 4648). */
  readonly yields?: Readonly<Record<string, string>>;
}

/** A disk that a waiting step would destroy, as the host saw it last: what a person approves (S16). */
export type ExaminedDevice =
  | { readonly at: string; readonly failed: string }
  | { readonly at: string; readonly seen: Omit<Examination, 'device'> };
