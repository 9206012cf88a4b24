import type { Steps } from '../../step-ports.ts';

export interface StepsOptions {
  /** `run/autark/steps`, absolute: memory-backed, of root alone; made when it is needed. */
  readonly folder: string;
  /** `var/lib/autark/activation`: where units leave how they ended. */
  readonly endings: string;
  /** The agent's own environment: where borrowed credentials come from (S19). */
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly hasSystemd: boolean;
}

export function openSteps(options: StepsOptions): Steps {
  throw new Error(options.folder);
}
