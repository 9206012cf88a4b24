import type { Failure } from '../failure.ts';
import { findingOf, type AuditFinding } from '../fleet-view/audit-finding.ts';
import { oneLine } from '../printable.ts';

/** What one check came to. A check that could not be made says so, and is never taken for a good one. */
export type Checked =
  | { readonly rule: string; readonly is: 'well' | 'unknown'; readonly says: string }
  | { readonly rule: string; readonly is: 'not-well' | 'advice'; readonly finding: AuditFinding };

/** Something that is as it should be. */
export function well(rule: string, says: string): Checked {
  return { rule, is: 'well', says };
}

/** A check that could not be made, and why. */
export function unknown(rule: string, says: string): Checked {
  return { rule, is: 'unknown', says };
}

/** Something to mend; its code is that of the failure's kind. */
export function notWell(rule: string, failure: Failure): Checked {
  return { rule, is: 'not-well', finding: findingOf(rule, failure) };
}

/** Something to think about: it works today, so its code is 0. */
export function advice(
  rule: string,
  { cause, where, remedy }: Pick<Failure, 'cause' | 'where' | 'remedy'>,
): Checked {
  return { rule, is: 'advice', finding: { rule, code: 0, where: where ?? null, cause, remedy } };
}

/** What `autark doctor --json` says. */
export interface Diagnosis {
  /** False when something is to be mended; advice leaves it true. */
  readonly ok: boolean;
  /** The exit code: that of the first thing to mend, or 0. */
  readonly code: number;
  readonly findings: readonly AuditFinding[];
}

export function diagnosisOf(checks: readonly Checked[]): Diagnosis {
  const findings = checks.flatMap((each) => ('finding' in each ? [each.finding] : []));
  const code = findings.find((each) => each.code !== 0)?.code ?? 0;
  return { ok: code === 0, code, findings };
}

const words = { well: 'ok', unknown: '?', 'not-well': 'mend', advice: 'note' } as const;

/** One line a check: how it is, what was looked at, and, where it is not well, where and what to do. */
export function lineOf(checked: Checked): string {
  const says = 'finding' in checked ? sentenceOf(checked.finding) : checked.says;
  return `${words[checked.is].padEnd(4)}  ${checked.rule.padEnd(width)}  ${oneLine(says)}`;
}

/** The longest name of a check, `allowed_signers`. */
const width = 15;

function sentenceOf({ cause, where, remedy }: AuditFinding): string {
  return `${cause}${where === null ? '' : ` (${where})`}; ${remedy}`;
}

/** The last line, for people. */
export function summaryOf(checks: readonly Checked[]): string {
  const count = (is: Checked['is']): number => checks.filter((each) => each.is === is).length;
  const parts = [
    [count('not-well'), 'to mend'],
    [count('advice'), 'to think about'],
    [count('unknown'), 'could not be checked'],
  ] as const;
  const told = parts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  return told.length === 0 ? 'all is well' : told.join(', ');
}

/** The failure of something that no other kind says better (1). */
export function trouble(cause: string, where: string, remedy: string): Failure {
  return { kind: 'unexpected', cause, where, remedy };
}
