import type { AuditFinding } from '../../shared/fleet-view/audit-finding.ts';
import { oneLine } from '../../shared/printable.ts';

/** A finding for people. What hosts and strangers wrote is made safe to show. */
export function paragraph({ rule, where, cause, remedy }: AuditFinding): string {
  return `${rule}  ${oneLine(cause)}\n    at ${oneLine(where ?? 'no place')}\n    next: ${oneLine(remedy)}`;
}
