import { fail, ok, type Failure, type FailureKind, type Result } from '../../shared/failure.ts';
import { formatAgentSettings, parseAgentSettings } from '../../shared/fleet/agent-yaml.ts';
import type { AgentSettings } from '../../shared/fleet/fleet.ts';
import { isSshAddress } from '../../shared/fleet/git-names.ts';
import type { AgentHost } from '../host.ts';
import { findIntroduction } from '../introduction.ts';
import type { Difference } from './enroll-differs.ts';
import { usage, type Arguments, type Context } from './verb.ts';

/** Whether it may be that the server does not know this machine's key yet. */
export function isOfTheServer(kind: FailureKind): boolean {
  return kind === 'unreachable' || kind === 'push-refused';
}

/** What to register where, of a key that `enroll` made; of another one its owner knows. */
export async function sayTransportKey(
  { terminal }: Context,
  { keys }: AgentHost,
  { host, remote, gitKey }: AgentSettings,
): Promise<void> {
  if (gitKey === undefined || !isSshAddress(remote)) return;
  const key = await keys.transport(`autark ${host}`);
  if (!key.ok || key.value.file !== gitKey) return;
  terminal.note('The Git server must know this key, with write access to state/ and enroll/:');
  terminal.note(`  ${key.value.publicKey}`);
  terminal.note('Register it there, and run this again.');
}

/** A call that continues may repeat what it said before, but not say something else. */
export function differencesOf(
  args: Arguments,
  context: Context,
  before: AgentSettings,
): readonly Difference[] {
  const said = [
    ['--host', args.text('host'), before.host],
    ['--remote', remoteOf(args, context), before.remote],
    ['--branch', args.text('branch'), before.branch],
    ['--introduction', args.text('introduction'), before.introduction],
    ['--floor', args.text('floor'), before.floor],
    ['--key', keyArgument(args, context), before.key],
  ] as const;
  return said.flatMap(([option, now, then]) =>
    now === undefined || now === then ? [] : [{ option, now, then }],
  );
}

/** The settings of a new machine, from what the call says, and from a person where it does not say all. */
export async function ask(
  args: Arguments,
  context: Context,
  host: AgentHost,
): Promise<Result<AgentSettings>> {
  const remote = remoteOf(args, context);
  const name = args.text('host');
  if (remote === undefined || name === undefined) {
    return fail(usage('enroll', 'a new machine needs --remote and --host'));
  }
  const key = await keyOf(args, context, host, name);
  if (!key.ok) return key;
  const transport = isSshAddress(remote) ? await host.keys.transport(`autark ${name}`) : undefined;
  if (transport?.ok === false) return transport;
  const floor = args.text('floor');
  const draft: AgentSettings = {
    host: name,
    remote,
    branch: args.text('branch') ?? 'main',
    dir: '.',
    introduction: args.text('introduction') ?? unknownYet,
    ...(floor === undefined ? {} : { floor }),
    key: key.value,
    ...(transport === undefined ? {} : { gitKey: transport.value.file }),
  };
  // What was given on the command line is held to the rules of the file that it goes into.
  const checked = parseAgentSettings(formatAgentSettings(draft), 'enroll');
  const parsed = checked.ok ? checked : fail(ofAnOption(checked.failure));
  if (!parsed.ok || parsed.value.introduction !== unknownYet) return parsed;
  const introduction = await introductionOf(context, host, parsed.value);
  if (introduction.ok) return ok({ ...parsed.value, introduction: introduction.value });
  if (isOfTheServer(introduction.failure.kind)) await sayTransportKey(context, host, parsed.value);
  return introduction;
}

/** The option that the wrong line would have come from: there is no file yet that a place could be named in. */
function ofAnOption(failure: Failure): Failure {
  const [option = ''] = failure.cause.split(' ');
  return { ...failure, kind: 'usage', where: `--${option}` };
}

/** Stands for an introduction that a person has yet to confirm; no commit has this name. */
const unknownYet = '0'.repeat(40);

async function introductionOf(
  { terminal, signal }: Context,
  host: AgentHost,
  settings: AgentSettings,
): Promise<Result<string>> {
  if (!terminal.canAsk) return fail(usage('enroll', 'without a terminal, --introduction is required'));
  const found = await findIntroduction(host, settings, signal);
  if (!found.ok) return found;
  const { id, subject } = found.value;
  terminal.note(`The server shows this introduction: ${id} “${subject}”`);
  const isRight = await terminal.confirm('Is it the one that your admin named?');
  if (isRight) return ok(id);
  return fail({
    kind: 'usage',
    cause: 'the introduction was not confirmed',
    where: id,
    remedy: 'ask an admin for it, and run this again with --introduction',
  });
}

function keyArgument(args: Arguments, { resolve }: Context): string | undefined {
  const given = args.text('key');
  return given === undefined ? undefined : resolve(given);
}

async function keyOf(
  args: Arguments,
  context: Context,
  { keys }: AgentHost,
  name: string,
): Promise<Result<string>> {
  const given = keyArgument(args, context);
  if (given !== undefined) return ok(given);
  const standard = await keys.standard();
  if (standard !== null) return ok(standard);
  return args.flag('resume') ? fail(withoutKey) : keys.make(`autark ${name}`);
}

/** A new key has no history. */
const withoutKey: Failure = {
  kind: 'not-this-host',
  cause: 'this machine holds no key, so it has nothing to resume',
  where: 'etc/ssh/ssh_host_ed25519_key, var/lib/autark/key',
  remedy: 'put the key of the host back, or run `autark enroll` to begin anew',
};

/** A path on this machine is made absolute: the agent runs elsewhere than the person who enrols it. */
function remoteOf(args: Arguments, { resolve }: Context): string | undefined {
  const remote = args.text('remote');
  if (remote === undefined) return undefined;
  const isPath = remote.startsWith('/') || remote.startsWith('.') || !remote.includes(':');
  return isPath && !remote.startsWith('-') ? resolve(remote) : remote;
}
