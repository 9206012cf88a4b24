import { approvableDevices } from '../../shared/disk/approvable.ts';
import type { ApprovedDevice, StepApproval } from '../../shared/disk/approval.ts';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { stepText } from '../../shared/fleet-view/step-text.ts';
import { approveStep, isOwnStep } from '../../shared/fleet/edit-step.ts';
import type { Host, Step } from '../../shared/fleet/fleet.ts';
import { readYaml } from '../../shared/fleet/read-yaml.ts';
import type { Ledger } from '../../shared/record/ledger.ts';
import { realRuns } from '../../shared/record/ledger-runs.ts';
import { ledgerPath } from '../../shared/record/sealed-part.ts';
import { stepSource } from '../fleet/step-source.ts';
import { clean, fleetFile, finishEditing, hostIn, openEditing, type Editing } from './editing.ts';
import { noLedger, readLedger } from './ledger.ts';
import { openSealed, openState, type StateOpening } from './state-opening.ts';
import { usage, type Act, type Arguments, type Context } from './verb.ts';

/** `autark step approve`: lets a step run once, on one machine, once a person saw what it would destroy. */
export const step: Act = async (args, context) => {
  const opened = await openEditing(context);
  if (!opened.ok) return opened;
  const editing = opened.value;
  const [host, name] = [args.positional('HOST') ?? '', args.positional('STEP') ?? ''];
  const declared = declaredStep(editing, host, name);
  if (!declared.ok) return declared;
  const { run, files } = declared.value.step;
  const isClean = await clean(editing.editor, [run, ...files]);
  if (!isClean.ok) return isClean;
  const { clone } = editing.editor;
  const source = await stepSource(clone, clone.head ?? '', declared.value.step);
  if (!source.ok) return source;
  const call = { args, context };
  const state = await openState(call);
  if (!state.ok) return state;
  const ledger = await ledgerOf(state.value, call);
  if (!ledger.ok) return ledger;
  context.terminal.note(stepText(declared.value.step, ledger.value).trimEnd());
  const devices = approvableDevices(declared.value.step, ledger.value);
  if (!devices.ok) return devices;
  const agreed = await agree(args, context, declared.value.step, devices.value);
  if (!agreed.ok) return agreed;
  const approval: StepApproval = {
    id: await context.roles.randomId(),
    key: declared.value.host.key ?? '',
    installation: state.value.record.status.installation,
    ...source.value,
    runs: realRuns(ledger.value).filter((run) => run.step === name).length,
    devices: devices.value,
    by: editing.key.owner,
    at: new Date(context.now()).toISOString(),
  };
  const text = approveStep(editing.texts.get(fleetFile) ?? '', host, name, approval);
  if (!text.ok) return text;
  const change = {
    files: [{ path: fleetFile, text: text.value }],
    message: `${host}: approve step ${name}\n`,
  };
  return finishEditing(editing, change, {
    ...context,
    args,
    said: `one run of ${name} on ${host} is approved`,
  });
};

interface Declared {
  readonly host: Host;
  readonly step: Step;
}

function declaredStep({ fleet, texts }: Editing, name: string, step: string): Result<Declared> {
  const known = hostIn(fleet, name);
  if (!known.ok) return known;
  const host = fleet.hosts.get(name);
  const found = host?.steps.find((each) => each.name === step);
  if (host === undefined || found === undefined) return fail(noStep(name, step, host?.steps ?? []));
  if (host.retired) return fail(retired(name));
  if (host.key === undefined) return fail(notApproved(name));
  if (host.done.includes(step)) return fail(inherited(name, step));
  const file = readYaml(texts.get(fleetFile) ?? '');
  return file.ok && isOwnStep(file.tree, name, step) ? ok({ host, step: found }) : fail(shared(name, step));
}

async function ledgerOf(
  state: StateOpening,
  call: { readonly args: Arguments; readonly context: Context },
): Promise<Result<Ledger>> {
  const opened = await openSealed(state, ledgerPath, call);
  if (!opened.ok) return opened;
  return opened.value === null ? fail(noLedger(state)) : readLedger(state, opened.value);
}

/** What is destroyed is named by whoever lets it be: a serial number is typed, not confirmed. */
async function agree(
  args: Arguments,
  { terminal }: Context,
  { name }: Step,
  devices: readonly ApprovedDevice[],
): Promise<Result<void>> {
  const given = args.texts('serial');
  const wanted = devices.map(({ serial }) => serial);
  if (given.length > 0) return isSame(given, wanted) ? ok(undefined) : fail(otherSerials(given, devices));
  if (devices.length === 0 && args.flag('yes')) return ok(undefined);
  if (!terminal.canAsk) {
    const what = devices.length === 0 ? '--yes' : '--serial for each disk';
    return fail(usage('step', `without a terminal step approve needs ${what}`));
  }
  if (devices.length === 0) {
    return (await terminal.ask('Type the name of the step to let it run once:')) === name
      ? ok(undefined)
      : fail(declined);
  }
  for (const { path, serial } of devices) {
    const answer = await terminal.ask(
      `Type the serial number of ${path} to let everything on it be destroyed:`,
    );
    if (answer.trim() !== serial) return fail(declined);
  }
  return ok(undefined);
}

function isSame(given: readonly string[], wanted: readonly string[]): boolean {
  return JSON.stringify([...given].sort()) === JSON.stringify([...wanted].sort());
}

const declined: Failure = {
  kind: 'unexpected',
  cause: 'that is not what was asked for: nothing is approved, and nothing was changed',
  remedy: 'look at the disks once more, and run it again',
};

function otherSerials(given: readonly string[], devices: readonly ApprovedDevice[]): Failure {
  return {
    kind: 'unexpected',
    cause: `nothing is approved: the serial numbers given (${given.join(', ')}) are not those of the disks`,
    where: devices.map(({ path, serial }) => `${path}: ${serial}`).join('; '),
    remedy: 'give --serial once for each disk, as it is shown, if they are the disks that you mean',
  };
}

function noStep(host: string, step: string, steps: readonly Step[]): Failure {
  const names = steps.map(({ name }) => name).join(', ');
  return {
    kind: 'unexpected',
    cause: `${host} has no step ${step}`,
    where: `${fleetFile}, hosts.${host}.steps`,
    remedy: names === '' ? 'declare it there first' : `its steps are ${names}`,
  };
}

function retired(host: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${host} is retired, and does nothing any more`,
    where: `${fleetFile}, hosts.${host}`,
    remedy: 'enrol the machine under another name',
  };
}

function notApproved(host: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${host} is no approved host`,
    where: `${fleetFile}, hosts.${host}`,
    remedy: `approve the machine first: autark approve ${host}`,
  };
}

function inherited(host: string, step: string): Failure {
  return {
    kind: 'unexpected',
    cause: `the machine before this one has done the step ${step}`,
    where: `${fleetFile}, hosts.${host}.done`,
    remedy: `take ${step} out of \`done\` if the new machine is to do it, push, and wait until ${host} has looked`,
  };
}

function shared(host: string, step: string): Failure {
  return {
    kind: 'unexpected',
    cause: `the step ${step} comes from defaults or a group, and an approval is for one machine`,
    where: `${fleetFile}, hosts.${host}`,
    remedy: `declare it below hosts.${host}.steps`,
  };
}
