import { exitCode } from '../failure.ts';
import { oneLine } from '../printable.ts';
import { mostReports } from '../record/status.ts';
import type { Journal } from './journal.ts';

/** Characters of one report. */
const longest = 400;

/** The reports with one more, once, as far as there is room: what came first is what explains the rest. */
export function withReport(reports: readonly string[], report: string): readonly string[] {
  const line = oneLine(report).slice(0, longest);
  return reports.includes(line) ? reports : [...reports, line].slice(0, mostReports);
}

/** What is left once a record has carried some. */
export function withoutReports(reports: readonly string[], carried: readonly string[] = []): string[] {
  return reports.filter((report) => !carried.includes(report));
}

/** Only a pinned machine has a branch to say it on; and one that has retired, or was replaced, made its last record. */
export function mayReport({ approved, standing }: Pick<Journal, 'approved' | 'standing'>): boolean {
  return approved && standing?.code !== exitCode('ended');
}
