/**
 * Whether a step may destroy what is on its devices: the last word before it runs. Nothing is looked at here, and nothing
 * has a default: `may` follows only from evidence in which everything is there and everything agrees.
 */
import { approvalRefusals } from './approval-rules.ts';
import { deviceRefusals } from './device-rules.ts';
import type { DestroyEvidence } from './evidence.ts';
import { ledgerRefusals, standingRefusals } from './ledger-rules.ts';
import { preparationRefusals } from './prepared-rules.ts';
import { refusing, type Refusal } from './refusal.ts';
import { pastRefusals } from './step-state.ts';

export type Verdict = { readonly may: true } | { readonly may: false; readonly reasons: readonly Refusal[] };

/** All reasons, in an order that does not depend on that of the evidence: ledger, past, approval, devices, server. */
export function mayDestroy(evidence: DestroyEvidence): Verdict {
  const reasons = [
    ...declarationRefusals(evidence),
    ...standingRefusals(evidence),
    ...ledgerRefusals(evidence),
    ...pastRefusals(evidence),
    ...approvalRefusals(evidence),
    ...deviceRefusals(evidence),
    ...preparationRefusals(evidence),
  ];
  return reasons.length === 0 ? { may: true } : { may: false, reasons };
}

function declarationRefusals({ step }: DestroyEvidence): readonly Refusal[] {
  if (step !== null) return [];
  return [refusing('S16')('the revision declares no such step', 'declare it, or leave it: nothing runs')];
}
