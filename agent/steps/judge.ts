import type { Aim } from '../../shared/cycle/aim.ts';
import type { DestroyEvidence, Intent, KeptBackup, Observation } from '../../shared/disk/evidence.ts';
import { mayDestroy } from '../../shared/disk/guard.ts';
import type { Refusal } from '../../shared/disk/refusal.ts';
import type { Context } from '../context.ts';
import { readCommit } from '../objects/read.ts';
import { lookClosely, type Looked } from './devices.ts';
import type { Judged, Known } from './evidence.ts';

/** A step that is ready: all that was known of it just now, on a server that has all records. */
export interface Ready extends Judged {
  readonly known: Known;
  /** The approval that the run uses; `null` when it needs none. */
  readonly approval: string | null;
  readonly aim: Aim;
}

export function destroys({ step }: Judged): boolean {
  return step.destroys.length > 0;
}

/** What would refuse it at last, besides what is not done yet: an intent that leads to nothing is not even recorded. */
export function foreseen(
  context: Context,
  { known, approval, step }: Ready,
  looked: Looked,
): readonly Refusal[] {
  const { evidence } = known;
  const now = context.senses.clock.awake();
  const first = Math.min(...looked.observations.map((each) => ('at' in each ? (each.at ?? now) : now)));
  const { newest } = evidence.host;
  const intent: Intent = {
    ...{ approval, program: evidence.step?.program ?? null, after: newest, commit: newest, tip: newest },
    readAt: first - 1,
  };
  const backups = keptBackups(step.destroys, looked.observations, newest);
  const verdict = mayDestroy({ ...evidence, devices: looked.observations, backups, intent, now });
  return verdict.may ? [] : verdict.reasons;
}

/** Metadata that the record is to hold, or holds, of disks that were looked at. */
export function keptBackups(
  paths: readonly string[],
  looks: readonly Observation[],
  record: string | null,
): readonly KeptBackup[] {
  return paths.flatMap((path) => {
    const look = looks.find((each) => each.path === path);
    return look === undefined || 'failed' in look ? [] : [{ path, layout: look.layout, record }];
  });
}

/** The last word: everything is looked at once more, after the server has shown the intent. */
export async function lastLook(
  context: Context,
  { known, step, approval }: Ready,
  backups: readonly KeptBackup[],
  readAt: number,
): Promise<readonly Refusal[]> {
  const { memory, sight, senses } = context;
  const { tip } = memory.journal;
  const commit = await readCommit(context.effects('step').git, tip);
  const intent: Intent = {
    approval,
    program: known.evidence.step?.program ?? null,
    after: commit.ok ? (commit.value.commit.parents[0] ?? null) : null,
    commit: tip,
    tip: sight.tip?.id ?? null,
    readAt,
  };
  const { observations } = await lookClosely(context, step.destroys);
  const evidence: DestroyEvidence = {
    ...{ ...known.evidence, devices: observations, backups, intent },
    now: senses.clock.awake(),
  };
  const verdict = mayDestroy(evidence);
  return verdict.may ? [] : verdict.reasons;
}
