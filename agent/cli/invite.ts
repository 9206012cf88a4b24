import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { approveHost } from '../../shared/fleet/edit.ts';
import type { Host } from '../../shared/fleet/fleet.ts';
import { isName } from '../../shared/fleet/name.ts';
import { fingerprint, parsePublicKey } from '../../shared/trust/ssh-key.ts';
import type { Clone } from '../clone-ports.ts';
import { declaredSystem, missingProgram } from './approve-system.ts';
import { fleetFile, finishEditing, openEditing, type Editing } from './editing.ts';
import { resealFor } from './sealing.ts';
import { shellWord } from './shell-word.ts';
import { usage, type Act, type Arguments, type Context } from './verb.ts';

/**
 * `autark invite`: the line that makes a new machine known. With `--key` its host is written before it is born, and
 * counts as approved: whoever holds the key is the host.
 */
export const invite: Act = async (args, context) => {
  const host = args.positional('HOST') ?? '';
  if (!isName(host)) return fail(badName(host));
  const opened = await openEditing(context);
  if (!opened.ok) return opened;
  const editing = opened.value;
  const taken = takenBy(editing.fleet.hosts.get(host), host);
  if (taken !== undefined) return fail(taken);
  const line = await enrolLine(editing, host, args);
  if (!line.ok) return line;
  if (args.text('key') === undefined) return show(context, line.value, host);
  return write(editing, host, { args, context, line: line.value });
};

function show({ terminal }: Context, line: string, host: string): Result<number> {
  terminal.out(`${line}\n`);
  terminal.note(`Run this as root on the machine; then \`autark approve ${host}\` here.`);
  return ok(0);
}

interface Writing {
  readonly args: Arguments;
  readonly context: Context;
  readonly line: string;
}

async function write(
  editing: Editing,
  host: string,
  { args, context, line }: Writing,
): Promise<Result<number>> {
  const key = await editing.editor.adminKey(context.resolve(args.text('key') ?? ''));
  if (!key.ok) return key;
  const system = declaredSystem(host, args, 'invite');
  if (!system.ok) return system;
  const groups = args.texts('group');
  const text = approveHost(editing.texts.get(fleetFile) ?? '', {
    host,
    key: key.value.key,
    ...(system.value === undefined ? {} : { system: system.value }),
    ...(groups.length === 0 ? {} : { groups }),
  });
  if (!text.ok) return text;
  const parsed = parsePublicKey(key.value.key);
  const print = parsed.ok ? fingerprint(parsed.value.blob) : key.value.key;
  const sealed = await resealFor(editing, text.value, { args, context });
  if (!sealed.ok) return sealed;
  const files = [{ path: fleetFile, text: text.value }, ...sealed.value.files];
  const change = { files, message: `${host}: invite ${print}\n` };
  context.terminal.note(`${host} will be whoever holds ${print}: it is approved before it is born.`);
  const said = `${host} is invited`;
  const done = await finishEditing(editing, change, { ...context, args, said });
  const missing = await missingProgram(editing.editor.clone, host, args);
  if (done.ok && missing !== null) context.terminal.note(missing);
  if (done.ok)
    context.terminal.note(`Run this as root on the machine that has the key:\n  ${line} --key FILE`);
  return done;
}

/** The newest revision that the server has is the floor: it was found authentic here (S2). */
async function enrolLine(
  { editor, standing }: Editing,
  host: string,
  args: Arguments,
): Promise<Result<string>> {
  const { clone } = editor;
  const refs = await clone.remoteRefs();
  if (!refs.ok) return refs;
  const floor = refs.value.find(({ name }) => name === clone.remote?.branch)?.id;
  if (clone.remote === null || floor === undefined) return fail(notPushed(clone));
  const { url, branch } = clone.remote;
  const words = ['autark', 'enroll', '--remote', args.text('remote') ?? url, '--host', host];
  const trust = ['--introduction', standing.introduction.id, '--floor', floor];
  return ok(
    [...words, ...trust, ...(branch === 'main' ? [] : ['--branch', branch])].map(shellWord).join(' '),
  );
}

function badName(host: string): Failure {
  return usage(
    'invite',
    `“${host}” cannot be the name of a host`,
    'use at most 63 lower-case letters, digits and -',
  );
}

function takenBy(entry: Host | undefined, host: string): Failure | undefined {
  if (entry === undefined || (entry.key === undefined && !entry.retired)) return undefined;
  return {
    kind: 'unexpected',
    cause: entry.retired ? `${host} is retired` : `${host} is the name of an approved machine`,
    where: `${fleetFile}, hosts.${host}`,
    remedy: entry.retired
      ? 'invite the machine under another name'
      : `to put another machine in its place, enrol that as ${host}, and run \`autark approve ${host} --replace\``,
  };
}

function notPushed({ root, branch }: Clone): Failure {
  return {
    kind: 'unexpected',
    cause: `the server has no branch ${branch} yet, so no machine could enrol`,
    where: root,
    remedy: 'run `git push`, and then this again',
  };
}
