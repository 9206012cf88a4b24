import * as v from 'valibot';
import type { Failure } from '../failure.ts';
import { checkSchema, nameOf, type Check, type Sight } from './check.ts';

/** How well the machine was right before a switch: what was broken then is not held against the new generation. */
export interface Baseline {
  readonly checks: readonly Check[];
  /** Whether each of these checks was good. */
  readonly good: readonly boolean[];
  /** Units that had failed already, or were only starting; `null` where systemd does not run this machine. */
  readonly failedUnits: readonly string[] | null;
  /** Whether the Git server had just been reached, so that the new generation has to reach it too (P3). */
  readonly reached: boolean;
}

/** As it stands in `journal.json`. */
export const baselineSchema = v.object({
  checks: v.array(checkSchema),
  good: v.array(v.boolean()),
  failedUnits: v.nullable(v.array(v.string())),
  reached: v.boolean(),
});

/** The checks that the new generation has to pass. */
export function demanded({ checks, good }: Baseline): readonly Check[] {
  return checks.filter((_, index) => good[index] === true);
}

/** The checks that failed before, and so prove nothing. */
export function excused({ checks, good }: Baseline): readonly Check[] {
  return checks.filter((_, index) => good[index] !== true);
}

/** Units that have failed and had not before; none where nobody can say. */
export function newlyFailed({ failedUnits }: Baseline, now: readonly string[] | null): readonly string[] {
  if (failedUnits === null || now === null) return [];
  const before = new Set(failedUnits);
  return now.filter((unit) => !before.has(unit));
}

/** What a new generation showed. */
export interface Findings {
  /** Of each check that it had to pass. */
  readonly sights: readonly (readonly [Check, Sight])[];
  readonly failedUnits: readonly string[] | null;
  /** Why the server could not be reached; absent when it was, or need not be. */
  readonly unreached?: Failure;
}

/** Why a generation is not good, and whether all that is wrong is that the server is out of reach. */
export interface Refusal {
  readonly failure: Failure;
  readonly isCutOff: boolean;
}

/** The verdict on a generation; `undefined` when it is good. */
export function refuse(generation: number, baseline: Baseline, found: Findings): Refusal | undefined {
  const bad = found.sights.filter(([, { good }]) => !good);
  const units = newlyFailed(baseline, found.failedUnits);
  const causes = [
    ...bad.map(([check, { seen }]) => `the health check ${nameOf(check)} ${seen}`),
    ...(units.length === 0 ? [] : [`units failed that had not before: ${units.join(', ')}`]),
    ...(found.unreached === undefined ? [] : [`the Git server is out of reach: ${found.unreached.cause}`]),
  ];
  if (causes.length === 0) return undefined;
  const detail = bad.find(([, sight]) => sight.detail !== undefined)?.[1].detail ?? found.unreached?.detail;
  return {
    failure: {
      kind: 'switch-failed',
      cause: `generation ${generation} was activated and is not well: ${causes.join('; ')}`,
      where: `generation ${generation}`,
      remedy: remedyFor(bad.length > 0, units),
      ...(detail === undefined ? {} : { detail }),
    },
    isCutOff: bad.length === 0 && units.length === 0,
  };
}

function remedyFor(isUnwell: boolean, units: readonly string[]): string {
  const next = 'and push; the host tries the next revision that changes it';
  if (isUnwell) return `mend the configuration or the check ${next}`;
  const [unit] = units;
  if (unit !== undefined)
    return `look at \`journalctl -u ${unit}\` on the host, mend the configuration ${next}`;
  return `mend what cuts the host off from its Git server, such as network, firewall or DNS, ${next}`;
}

/** The failure of a generation that lost the server, where the one before cannot reach it either (P3). */
export function worldsFault({ cause }: Failure, generation: number | null, now: Failure): Failure {
  return {
    kind: 'unreachable',
    cause: `${cause}; back on generation ${generation ?? 0}, which cannot reach it either: ${now.cause}`,
    remedy: 'nothing about the revision: it is tried again once the server can be reached',
  };
}
