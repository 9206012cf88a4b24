import { isObjectId } from '../objects/object.ts';
import { approvedDevices } from './approval-rules.ts';
import type { DestroyEvidence, Intent, KeptBackup } from './evidence.ts';
import { isSame } from './known.ts';
import { refusing, type Refusal } from './refusal.ts';

/** Why what must lie on the server first does not: metadata of each device, and that the step begins (S17). */
export function preparationRefusals(evidence: DestroyEvidence): readonly Refusal[] {
  const { step, approval, backups, intent } = evidence;
  if (step === null) return [];
  const approved = approvedDevices(approval);
  const lacking = [...new Set(step.destroys)].filter(
    (path) =>
      !isKept(
        (backups ?? []).filter((each) => each.path === path),
        approved.get(path)?.layout,
      ),
  );
  return [
    ...lacking.map((path) =>
      refusing('S17', path)(
        'the metadata of this device, as it was approved, is not backed up in a record',
        again,
      ),
    ),
    ...intentCauses(intent, evidence).map((cause) => refusing('S17')(cause, push)),
  ];
}

const again =
  'where the disk is another one now, approve it anew; else `autark doctor` on the machine names the program that cannot back it up';
const push = 'let the agent reach the Git server; it tries again, and nothing was written';

function isKept(backups: readonly KeptBackup[], layout: string | undefined): boolean {
  return (
    backups.length > 0 &&
    backups.every((each) => isSame(each.layout, layout) && each.record !== null && isObjectId(each.record))
  );
}

function intentCauses(intent: Intent | null, { step, host, approval }: DestroyEvidence): readonly string[] {
  if (intent === null) return ['it is not recorded that this step begins'];
  const isPushed = isSame(intent.commit, intent.tip) && isObjectId(intent.commit ?? '');
  return [
    ...(isSame(intent.approval, approval?.id) && isSame(intent.program, step?.program)
      ? []
      : ['what is recorded is the beginning of another run']),
    ...(isSame(intent.after, host.newest) ? [] : ['something was recorded between the ledger and this run']),
    ...(isPushed ? [] : ['the Git server does not have the record that this step begins']),
    ...(intent.readAt !== null && Number.isFinite(intent.readAt)
      ? []
      : ['nobody knows when the Git server was asked for that record']),
  ];
}
