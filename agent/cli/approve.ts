import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { approveHost } from '../../shared/fleet/edit.ts';
import { failureOf } from '../../shared/fleet/findings.ts';
import type { Fleet, Host } from '../../shared/fleet/fleet.ts';
import { parseFleet } from '../../shared/fleet/parse.ts';
import type { Enrolment } from '../../shared/record/enrolment.ts';
import { version } from '../../shared/version.ts';
import { readCandidates } from '../fleet/enrolments.ts';
import type { CloneEditor } from '../clone-ports.ts';
import { choose } from './approve-choice.ts';
import { systemFor } from './approve-system.ts';
import { clean, pushed, upToDate } from './editing.ts';
import type { Act, Arguments } from './verb.ts';

const file = 'fleet.yaml';

/** `autark approve`: pins a machine's key and genesis in `fleet.yaml`, once a person compared its fingerprint. */
export const approve: Act = async (args, context) => {
  const host = args.positional('HOST') ?? '';
  const opened = await context.roles.cloneEditor(context.signal);
  if (!opened.ok) return opened;
  const editor = opened.value;
  const fresh = await upToDate(editor);
  if (!fresh.ok) return fresh;
  const isClean = await clean(editor, [file]);
  if (!isClean.ok) return isClean;
  const current = await currentFleet(editor);
  if (!current.ok) return current;
  const { fleet, text } = current.value;
  const waiting = await waitingFor(editor, fleet, host);
  if (!waiting.ok) return waiting;
  const chosen = await choose(waiting.value, args, { ...context, host });
  if (!chosen.ok) return chosen;
  const changed = edit(text, fleet, host, chosen.value, args);
  if (!changed.ok) return changed;
  const committed = await commit(editor, host, chosen.value, changed.value);
  if (!committed.ok) return committed;
  const done = await pushed(editor, editor.clone.remote?.branch ?? editor.clone.branch, args.flag('push'));
  if (!done.ok) return done;
  context.terminal.out(`${committed.value}\n`);
  context.terminal.note(`${host} is approved${args.flag('push') ? ' and pushed' : '; push it: git push'}.`);
  return ok(0);
};

interface Current {
  readonly fleet: Fleet;
  readonly text: string;
}

async function currentFleet({ clone }: CloneEditor): Promise<Result<Current>> {
  if (clone.head === null) return fail(noFleet(clone.root));
  const name = `${clone.head}:${file}`;
  const objects = await clone.read([name]);
  if (!objects.ok) return objects;
  const object = objects.value.get(name);
  if (object === undefined) return fail(noFleet(clone.root));
  const text = Buffer.from(object.bytes).toString('utf8');
  const fleet = parseFleet(text, { file, version });
  return fleet.ok ? ok({ fleet: fleet.value, text }) : fail(failureOf(fleet.failure));
}

async function waitingFor(
  editor: CloneEditor,
  fleet: Fleet,
  host: string,
): Promise<Result<readonly Enrolment[]>> {
  const { clone } = editor;
  const approved = approvedProblem(fleet.hosts.get(host), host);
  if (approved !== undefined) return fail(approved);
  const refs = await clone.remoteRefs();
  if (!refs.ok) return refs;
  const under = refs.value.filter((ref) => ref.name.startsWith(`enroll/${host}/`));
  const candidates = await readCandidates(clone, under, { fleet: fleet.fleet, host });
  if (!candidates.ok) return candidates;
  const { good, bad } = candidates.value;
  if (good.length > 0) return ok(good);
  const [first] = bad;
  return fail(first === undefined ? nobodyWaits(host) : notGood(first));
}

function approvedProblem(entry: Host | undefined, host: string): Failure | undefined {
  if (entry?.retired === true) {
    return {
      kind: 'unexpected',
      cause: `${host} is retired`,
      where: `${file}, hosts.${host}`,
      remedy: 'enrol the machine under another name',
    };
  }
  if (entry?.key === undefined || entry.genesis === undefined) return undefined;
  return {
    kind: 'unexpected',
    cause: `${host} is approved already`,
    where: `${file}, hosts.${host}.key`,
    remedy: `run \`autark status ${host}\` to see what it does`,
  };
}

function edit(text: string, fleet: Fleet, host: string, machine: Enrolment, args: Arguments): Result<string> {
  const entry = fleet.hosts.get(host);
  if (entry?.key !== undefined && entry.key !== machine.key) return fail(otherKey(host));
  const system = systemFor(entry, machine, args);
  if (!system.ok) return system;
  const groups = args.texts('group');
  const undeclared = groups.find((group) => !fleet.groups.includes(group));
  if (undeclared !== undefined) return fail(noGroup(undeclared));
  return approveHost(text, {
    host,
    key: machine.key,
    genesis: machine.id,
    ...(system.value === undefined ? {} : { system: system.value }),
    ...(groups.length === 0 ? {} : { groups }),
  });
}

async function commit(
  editor: CloneEditor,
  host: string,
  machine: Enrolment,
  text: string,
): Promise<Result<string>> {
  const key = await editor.adminKey(undefined);
  if (!key.ok) return key;
  const message = `${host}: approve ${machine.fingerprint}\n`;
  return editor.commit({ files: [{ path: file, text }], message }, key.value);
}

function noFleet(root: string): Failure {
  return {
    kind: 'unexpected',
    cause: `there is no ${file} here`,
    where: root,
    remedy: 'run `autark init` to make a fleet, or switch to its branch',
  };
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

function otherKey(host: string): Failure {
  return {
    kind: 'unexpected',
    cause: `the entry of ${host} pins another key than this machine’s`,
    where: `${file}, hosts.${host}.key`,
    remedy: 'take the key out of the entry, or approve the machine that holds it',
  };
}

function noGroup(group: string): Failure {
  return {
    kind: 'unexpected',
    cause: `there is no group ${group}`,
    where: `${file}, groups`,
    remedy: 'declare it there first',
  };
}
