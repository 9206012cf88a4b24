import { oneLine } from '../printable.ts';

/** The rules for steps: the ledger (S15), approvals and devices (S16), what comes before (S17), interruptions (S18), credentials (S19). */
export type StepRule = 'S15' | 'S16' | 'S17' | 'S18' | 'S19';

/** Why a step does not run. Of several, each is said: who mends one must not find the next one an hour later. */
export interface Refusal {
  readonly rule: StepRule;
  /** What is so, as one sentence. */
  readonly cause: string;
  /** The device, the key of `fleet.yaml`, or the file that it is about. */
  readonly where?: string;
  /** The next step for a person. */
  readonly remedy: string;
}

/** Makes refusals that are about one place. What others wrote may be in them, so they are made safe to show, on one line. */
export function refusing(rule: StepRule, where?: string) {
  return (cause: string, remedy: string): Refusal => ({
    rule,
    cause: oneLine(cause),
    ...(where === undefined ? {} : { where: oneLine(where) }),
    remedy,
  });
}
