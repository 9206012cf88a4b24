import { fail, ok, type Result } from '../../shared/failure.ts';
import { moduleStanza } from '../../shared/nix/stanza.ts';
import type { AgentHost } from '../host.ts';
import type { Started } from '../unit-ports.ts';
import type { Arguments, Context } from './verb.ts';

/**
 * Installs the units and starts the agent, where that can be and is wanted.
 * @param otherwise what a person is told to do instead
 */
export async function startService(
  args: Arguments,
  { terminal, program, root }: Context,
  { services, settings }: AgentHost,
  otherwise: string,
): Promise<Result<number>> {
  const obstacle = services.obstacle();
  if (args.flag('no-service') || obstacle !== null) {
    // Below --root nobody expects any.
    if (obstacle !== null && root === '/') terminal.note(`No units were installed: ${obstacle}.`);
    if (services.areDeclared()) {
      const said = await sayStanza(terminal, settings);
      if (!said.ok) return said;
    }
    terminal.note(otherwise);
    return ok(0);
  }
  const installed = await services.install(program);
  if (!installed.ok) return installed;
  if (installed.value === 'transient') {
    const said = await sayStanza(terminal, settings);
    if (!said.ok) return said;
  }
  for (const line of runsNow[installed.value]) terminal.note(line);
  return ok(0);
}

const runsNow: Readonly<Record<Started, readonly string[]>> = {
  units: ['The agent runs (systemctl status autark), and deploys once this machine is approved.'],
  declared: ['The agent is that of this machine’s configuration (systemctl status autark).'],
  transient: [
    'The agent runs (systemctl status autark-enroll), and deploys once this machine is approved. It ends when the',
    'module’s own agent starts. After a reboot before that none runs: run `autark enroll` again.',
  ],
};

/** What the machine's configuration is to say, so that its next system has the agent. */
async function sayStanza(
  terminal: Context['terminal'],
  settings: AgentHost['settings'],
): Promise<Result<void>> {
  const known = await settings.load();
  if (!known.ok || known.value === null) return known.ok ? ok(undefined) : known;
  terminal.note(
    'The configuration of this machine needs autark’s module, and this, or its next system is held (10):',
  );
  for (const line of moduleStanza(known.value).split('\n')) terminal.note(`  ${line}`);
  return ok(undefined);
}

/** `autark enroll --uninstall`: stops and removes the units, and FILE. What this machine knows stays. */
export async function uninstall({ terminal, roles, root }: Context): Promise<Result<number>> {
  const { services, agentFiles } = await roles.agentHost(root);
  const file = await agentFiles.linked();
  if (!file.ok) return file;
  const obstacle = services.obstacle();
  if (obstacle !== null && file.value === null) {
    return fail({
      kind: 'usage',
      cause: `there are no units to remove: ${obstacle}`,
      remedy: 'end the agent as it was started',
    });
  }
  // The agent first: it runs from FILE.
  const stopped = obstacle === null ? await services.uninstall() : ok(undefined);
  if (!stopped.ok) return stopped;
  const removed = await agentFiles.unlink();
  if (!removed.ok) return removed;
  if (file.value !== null) {
    const isLeft = `${file.value} is not the link that enroll made, and stays.`;
    terminal.note(removed.value ? `${file.value} is gone.` : isLeft);
  }
  if (obstacle !== null) return ok(0);
  terminal.note(services.arePackaged() ? disabled : 'The units are gone.');
  for (const line of left) terminal.note(line);
  return ok(0);
}

const disabled = 'The agent is stopped and disabled. Its units are those of a package, and go with that.';

const left = [
  'Left are /etc/autark, with the settings, and /var/lib/autark, with what this',
  'machine did and runs, and the users autark-git and autark-build: remove them by hand if nobody shall know,',
  'once `autark retire` has told the fleet.',
];
