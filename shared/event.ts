import type { Failure, Stage } from './failure.ts';
import type { NixProgress } from './nix/report.ts';
import type { ObjectId } from './objects/object.ts';
import type { StateEvent } from './record/status.ts';

/**
 * Everything the agent has to say. The log, the terminal and the state commits only render it.
 */
export type AgentEvent =
  /** The daemon began or ended. */
  | { readonly kind: 'started'; readonly host: string; readonly version: string }
  | { readonly kind: 'stopped'; readonly host: string; readonly reason: string }
  /** A cycle found a head that it had not judged before. */
  | { readonly kind: 'new-head'; readonly host: string; readonly revision: ObjectId }
  /** A stage began; only for stages that may take long. */
  | { readonly kind: 'stage'; readonly host: string; readonly stage: Stage; readonly revision: ObjectId }
  /** How far Nix is with a build; said often, for whoever shows it to choose from. */
  | {
      readonly kind: 'progress';
      readonly host: string;
      readonly revision: ObjectId;
      readonly progress: NixProgress;
    }
  /** A newer revision arrived while an older one was being built. */
  | { readonly kind: 'superseded'; readonly host: string; readonly revision: ObjectId; readonly by: ObjectId }
  /** What a crash or a power cut had left was finished or undone. */
  | { readonly kind: 'recovered'; readonly host: string; readonly from: string }
  /** Something is odd but does not stop the work. */
  | { readonly kind: 'warning'; readonly host: string; readonly message: string }
  /** A cycle ended with a failure or a hold. */
  | {
      readonly kind: 'failure';
      readonly host: string;
      readonly stage: Stage;
      readonly failure: Failure;
      readonly revision?: ObjectId;
    }
  /** A state record was made. */
  | {
      readonly kind: 'recorded';
      readonly host: string;
      readonly event: StateEvent;
      readonly seq: number;
      readonly subject: string;
      readonly revision?: ObjectId;
    }
  /** The server has the records up to this one. */
  | { readonly kind: 'delivered'; readonly host: string; readonly seq: number }
  /** A cycle ended and found nothing to do; said at debug level. */
  | { readonly kind: 'idle'; readonly host: string; readonly revision: ObjectId };

export type Level = 'error' | 'warn' | 'info' | 'debug';
