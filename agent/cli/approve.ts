import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { approveHost } from '../../shared/fleet/edit.ts';
import type { Fleet, Host } from '../../shared/fleet/fleet.ts';
import type { Enrolment } from '../../shared/record/enrolment.ts';
import type { Clone } from '../clone-ports.ts';
import { readCandidates } from '../fleet/enrolments.ts';
import { choose, printOfReplaced } from './approve-choice.ts';
import { inheritedSteps } from './approve-done.ts';
import { missingProgram, systemFor } from './approve-system.ts';
import { fleetFile, finishEditing, openEditing, type Editing } from './editing.ts';
import { resealFor } from './sealing.ts';
import type { Act, Arguments } from './verb.ts';

/** `autark approve`: pins a machine's key and genesis in `fleet.yaml`, once a person compared its fingerprint. */
export const approve: Act = async (args, context) => {
  const host = args.positional('HOST') ?? '';
  const opened = await openEditing(context);
  if (!opened.ok) return opened;
  const editing = opened.value;
  const { editor, fleet } = editing;
  const missing = await missingProgram(editor.clone, host, args);
  const replaces = args.flag('replace');
  const waiting = await waitingFor(editor.clone, fleet, { host, replaces });
  if (!waiting.ok) return waiting;
  const before = fleet.hosts.get(host);
  const chosen = await choose(waiting.value, args, { ...context, host, before });
  if (!chosen.ok) return chosen;
  const done = replaces ? await inheritedSteps(before, { args, context }) : [];
  const text = edit(editing, { host, machine: chosen.value, done }, args);
  if (!text.ok) return text;
  const message = `${host}: approve ${chosen.value.fingerprint}${inPlaceOf(before, chosen.value)}\n`;
  const said = `${host} is approved`;
  const sealed = await resealFor(editing, text.value, { args, context });
  if (!sealed.ok) return sealed;
  const files = [{ path: fleetFile, text: text.value }, ...sealed.value.files];
  const made = await finishEditing(editing, { files, message }, { ...context, args, said });
  const notes = missing === null ? sealed.value.told : [...sealed.value.told, missing];
  if (made.ok) for (const line of notes) context.terminal.note(line);
  return made;
};

function inPlaceOf(before: Host | undefined, machine: Enrolment): string {
  const print = printOfReplaced(before, machine);
  if (print === undefined) return '';
  const genesis = before?.genesis === undefined ? '' : `, genesis ${before.genesis}`;
  return `\n\nIn place of ${print}${genesis}`;
}

async function waitingFor(
  clone: Clone,
  fleet: Fleet,
  { host, replaces }: { readonly host: string; readonly replaces: boolean },
): Promise<Result<readonly Enrolment[]>> {
  const entry = fleet.hosts.get(host);
  const approved = replaces ? nothingToReplace(entry, host) : approvedProblem(entry, host);
  if (approved !== undefined) return fail(approved);
  const refs = await clone.remoteRefs();
  if (!refs.ok) return refs;
  const under = refs.value.filter((ref) => ref.name.startsWith(`enroll/${host}/`));
  const candidates = await readCandidates(clone, under, { fleet: fleet.fleet, host });
  if (!candidates.ok) return candidates;
  const { bad } = candidates.value;
  const good = candidates.value.good.filter(({ id }) => id !== entry?.genesis);
  if (good.length > 0) return ok(good);
  const [first] = bad;
  return fail(first === undefined ? nobodyWaits(host) : notGood(first));
}

function approvedProblem(entry: Host | undefined, host: string): Failure | undefined {
  if (entry?.retired === true) {
    return {
      kind: 'unexpected',
      cause: `${host} is retired`,
      where: `${fleetFile}, hosts.${host}`,
      remedy: 'enrol the machine under another name',
    };
  }
  if (entry?.key === undefined || entry.genesis === undefined) return undefined;
  return {
    kind: 'unexpected',
    cause: `${host} is approved already`,
    where: `${fleetFile}, hosts.${host}.key`,
    remedy: `run \`autark status ${host}\` to see what it does; another machine takes its place with --replace`,
  };
}

function nothingToReplace(entry: Host | undefined, host: string): Failure | undefined {
  if (entry?.retired !== true && entry?.key !== undefined) return undefined;
  if (entry?.retired === true) return approvedProblem(entry, host);
  return {
    kind: 'unexpected',
    cause: `there is no machine yet that ${host} could replace`,
    where: `${fleetFile}, hosts.${host}`,
    remedy: `run \`autark approve ${host}\` without --replace`,
  };
}

interface Approving {
  readonly host: string;
  readonly machine: Enrolment;
  readonly done: readonly string[];
}

function edit(
  { fleet, texts }: Editing,
  { host, machine, done }: Approving,
  args: Arguments,
): Result<string> {
  const entry = fleet.hosts.get(host);
  const system = systemFor(entry, machine, args);
  if (!system.ok) return system;
  const groups = args.texts('group');
  return approveHost(texts.get(fleetFile) ?? '', {
    host,
    key: machine.key,
    genesis: machine.id,
    replaces: args.flag('replace'),
    ...(system.value === undefined ? {} : { system: system.value }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(done.length === 0 ? {} : { done }),
  });
}

function nobodyWaits(host: string): Failure {
  return {
    kind: 'unexpected',
    cause: `no machine waits to become ${host}`,
    remedy: `run \`autark enroll --host ${host} --remote URL\` on the machine, and then this again`,
  };
}

function notGood({ ref, problem }: { readonly ref: string; readonly problem: string }): Failure {
  return {
    kind: 'unexpected',
    cause: `what waits under this name is not a good genesis: ${problem}`,
    where: ref,
    remedy: 'run `autark enroll` again on the machine, and look at who pushed this',
  };
}
