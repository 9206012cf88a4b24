import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { AgentSettings } from '../../shared/fleet/fleet.ts';
import { fingerprint, parsePublicKey } from '../../shared/trust/ssh-key.ts';
import { enrol } from '../enrol.ts';
import type { AgentHost } from '../host.ts';
import { offerKey } from '../new-key.ts';
import { resume, type Resumed } from '../resume.ts';
import { ask, differencesOf, isOfTheServer, sayTransportKey } from './enroll-asked.ts';
import { differs } from './enroll-differs.ts';
import { installed } from './enroll-install.ts';
import { startService, uninstall } from './enroll-units.ts';
import { atRoot } from './shell-word.ts';
import { usage, type Act, type Arguments, type Context } from './verb.ts';

/** `autark enroll`: makes this machine known, and says how to approve it elsewhere. */
export const enroll: Act = async (args, context) => {
  const newKey = args.text('new-key');
  const clash = clashOf(args);
  if (clash !== undefined) {
    return fail(usage('enroll', `${clash} are two things`, 'give one after the other'));
  }
  if (args.flag('uninstall')) return uninstall(context);
  const host = await context.roles.agentHost(context.root);
  if (newKey !== undefined) return offer(context, host, context.resolve(newKey));
  const settings = await settle(args, context, host);
  if (!settings.ok) return settings;
  const program = await installed(args, context, host);
  if (!program.ok) return program;
  const start = (otherwise: string) =>
    startService(args, { ...context, program: program.value }, host, otherwise);
  if (args.flag('resume')) return goOn(context, host, settings.value);
  const enrolled = await enrol(host, settings.value, context.signal);
  if (!enrolled.ok) {
    // An agent that runs here has enrolled, and is to be the one that was just installed.
    const isNewer = enrolled.failure.kind === 'locked' && args.text('install-to') !== undefined;
    if (isNewer) return start('An agent runs here: start it again.');
    if (isOfTheServer(enrolled.failure.kind)) await sayTransportKey(context, host, settings.value);
    return enrolled;
  }
  const { key, host: name, approved, replaces } = enrolled.value;
  const { terminal, root } = context;
  const agent = atRoot('autark agent', root);
  if (approved) {
    terminal.out(printOf(key));
    return start(`${name} is approved already; run \`${agent}\``);
  }
  if (replaces) terminal.note(`fleet.yaml names another machine ${name}: this one is to take its place.`);
  sayWaiting(context, name, key, replaces);
  return start(`Then, or now, run \`${agent}\` here.`);
};

function clashOf(args: Arguments): string | undefined {
  if (args.text('new-key') !== undefined && args.flag('resume')) return '--new-key and --resume';
  if (args.text('install-to') === undefined) return undefined;
  if (args.flag('uninstall')) return '--install-to and --uninstall';
  return args.text('new-key') === undefined ? undefined : '--install-to and --new-key';
}

/** What a person needs to have a key of this machine approved elsewhere. */
function sayWaiting({ terminal }: Context, name: string, key: string, replaces: boolean): void {
  const print = printOf(key);
  terminal.out(print);
  terminal.out(`autark approve ${name} ${replaces ? '--replace ' : ''}--fingerprint ${print}`);
  terminal.note(`${name} waits: run the line above in a clone, after comparing the fingerprint, and push.`);
}

function printOf(key: string): string {
  const parsed = parsePublicKey(key);
  return parsed.ok ? fingerprint(parsed.value.blob) : key;
}

/** `autark enroll --new-key FILE`: the same machine is to have another key. */
async function offer(context: Context, host: AgentHost, file: string): Promise<Result<number>> {
  const settings = await host.settings.load();
  if (!settings.ok) return settings;
  if (settings.value === null) return fail(notEnrolled);
  const offered = await offerKey(host, settings.value, file, context.signal);
  if (!offered.ok) return offered;
  const { key, host: name, isOffered } = offered.value;
  if (!isOffered) context.terminal.note('The agent that runs here offers the new key in its next cycle.');
  sayWaiting(context, name, key, true);
  context.terminal.note(
    `Until then ${name} goes on with the key that it has, and takes the new one by itself after that.`,
  );
  return ok(0);
}

const notEnrolled: Failure = {
  kind: 'agent-config',
  cause: 'this machine is not enrolled, so it has no key to be replaced',
  where: 'etc/autark/agent.yaml',
  remedy: 'enrol it with the key that it shall have: `autark enroll --remote URL --host NAME --key FILE`',
};

/** `autark enroll --resume`: this machine goes on with the host's history. */
async function goOn(
  { terminal, signal, root }: Context,
  host: AgentHost,
  settings: AgentSettings,
): Promise<Result<number>> {
  const resumed = await resume(host, settings, signal);
  if (!resumed.ok) return resumed;
  terminal.note(saidOf(settings.host, resumed.value, atRoot('autark agent', root)));
  return ok(0);
}

function saidOf(name: string, resumed: Resumed, agent: string): string {
  switch (resumed.did) {
    case 'nothing':
      return `${name} has its journal, and nothing keeps it from going on: there is nothing to resume`;
    case 'decide':
      return `${name} goes on, on this machine: its agent does so in its next cycle; stop every other machine with this key`;
    case 'rebuild':
      return `${name} goes on from record ${resumed.seq} (${resumed.tip}); run \`${agent}\``;
  }
}

/** The settings of `agent.yaml`: those that are there when the call continues, else what the call says. */
async function settle(args: Arguments, context: Context, host: AgentHost): Promise<Result<AgentSettings>> {
  const before = await host.settings.load();
  if (!before.ok) return before;
  if (before.value !== null) {
    const differences = differencesOf(args, context, before.value);
    return differences.length === 0
      ? ok(before.value)
      : fail(differs(differences, await host.settings.origin()));
  }
  return ask(args, context, host);
}
