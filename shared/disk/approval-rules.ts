import { keyOf } from '../secrets/sealed.ts';
import type { ApprovedDevice, StepApproval } from './approval.ts';
import type { DeclaredStep, StepEvidence, StepHost } from './evidence.ts';
import { isKnown, isSame, isSha256, repeated } from './known.ts';
import { runsIn, runsOf } from './ledger-rules.ts';
import { refusing, type Refusal } from './refusal.ts';

/**
 * Why the approval does not let this step run on this machine; empty when it does. For any step: one that destroys nothing
 * is approved with no devices. What the ledger says of its use counts only if the ledger can be believed.
 */
export function approvalRefusals({ step, host, ledger, approval }: StepEvidence): readonly Refusal[] {
  if (step === null) return [];
  const where = placeOf(host, step);
  const say = refusing('S16', where);
  const anew = approveAnew(host, step);
  if (approval === null) return [say('nobody approved this step on this machine', anew)];
  const isUsed = runsIn(ledger).some((run) => run.approval === approval.id);
  return [
    ...(isWhole(approval) ? [] : [say('the approval is not whole', anew)]),
    ...(isUsed ? [say('the approval was used: each is good for one run', anew)] : []),
    ...(runsOf({ step, ledger }).length === approval.runs
      ? []
      : [say('the approval is from before a run that the ledger knows', anew)]),
    ...boundToHost(approval, host).map((cause) => say(cause, anew)),
    ...boundToStep(approval, step).map((cause) => say(cause, anew)),
  ];
}

/** Below which key of `fleet.yaml` the approval lies, in messages. */
export function placeOf({ name }: StepHost, step: DeclaredStep): string {
  return `fleet.yaml, step ${step.name} of ${name ?? 'this host'}`;
}

/** What a person does so that the step may run. */
export function approveAnew({ name }: StepHost, step: DeclaredStep): string {
  return (
    `look at the machine, then run \`autark step approve ${name ?? 'HOST'} ${step.name}\` in a clone, ` +
    'read what it shows, and push'
  );
}

function isWhole({ id, by, at }: StepApproval): boolean {
  return isKnown(id) && isKnown(by) && isKnown(at);
}

function boundToHost(approval: StepApproval, host: StepHost): readonly string[] {
  const key = isKnown(host.key) && isKnown(approval.key) && keyOf(host.key) === keyOf(approval.key);
  return [
    ...(key ? [] : ['the approval names the key of another host']),
    ...(isKnown(host.genesis) ? [] : ['the genesis of this host is not known']),
    ...(isKnown(host.genesisInstallation)
      ? []
      : ['nobody knows which installation made the genesis of this host']),
    ...(isSame(host.installation, approval.installation)
      ? []
      : ['the approval names another installation: this machine was installed or restored since']),
  ];
}

function boundToStep(approval: StepApproval, step: DeclaredStep): readonly string[] {
  const isProgram = isSame(step.program, approval.program) && /^[0-9a-f]{40}$/.test(approval.program);
  const isFiles = isSha256(step.files) && step.files === approval.files;
  const paths = approval.devices.map(({ path }) => path);
  const isExact =
    paths.length === step.destroys.length && new Set([...paths, ...step.destroys]).size === paths.length;
  return [
    ...(isProgram ? [] : ['the program is not the one that was approved']),
    ...(isFiles ? [] : ['the files that the program reads are not the ones that were approved']),
    ...(isExact ? [] : ['the devices that were approved are not exactly those that the step destroys']),
  ];
}

/** What was approved of each device of the step that is approved exactly once. */
export function approvedDevices(approval: StepApproval | null): ReadonlyMap<string, ApprovedDevice> {
  const devices = approval?.devices ?? [];
  const twice = repeated(devices.map(({ path }) => path));
  return new Map(devices.filter(({ path }) => !twice.includes(path)).map((device) => [device.path, device]));
}
