import { exitCode, type Failure } from '../failure.ts';
import type { Refusal } from '../trust/refusal.ts';

/** Something that is not well with a fleet's histories, as `verify` and `status` list it. */
export interface AuditFinding {
  /** The rule of docs/security.md that is broken, or the file that is. */
  readonly rule: string;
  /** 20, or 21 for a `fleet.yaml` that is not valid. */
  readonly code: number;
  readonly where: string | null;
  readonly cause: string;
  readonly remedy: string;
}

export function findingOf(rule: string, { kind, cause, where, remedy }: Failure): AuditFinding {
  return { rule, code: exitCode(kind), where: where ?? null, cause, remedy };
}

/** A verdict by the name that docs/security.md has for its rule: the parts of S1 are told apart by their sentences. */
export function findingOfRefusal(refusal: Refusal): AuditFinding {
  return findingOf(refusal.rule?.slice(0, 2) ?? 'S1', refusal);
}
