import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Services } from '../unit-ports.ts';
import { removeDurably, writeDurably } from './durable.ts';
import { fileFailure } from './file-failure.ts';
import { askSystemd, isBootedBySystemd } from './systemd.ts';

export interface ServicesOptions {
  /** `/`, or the folder of `--root`. */
  readonly root: string;
  /** The text of a file of `systemd/`. */
  readonly shipped: (name: string) => string;
  readonly env: Readonly<Record<string, string>>;
}

/** What a boot begins whatever begins the agent. */
const boot = ['autark-recovery.service', 'autark-secrets-early.service', 'autark-secrets.service'];
const units = [
  ...['autark.service', ...boot, 'autark-once.service', 'autark-once.timer'],
  ...['autark-secret@.service', 'run-autark-secrets.d.mount'],
];
const enabled = [...boot, 'autark.service'];
/** For what an administrator of this machine installs (systemd.unit(5)). */
const folder = '/etc/systemd/system';
/** Where a package has it; one of the same name in `folder` goes before it. */
const packaged = '/usr/lib/systemd/system/autark.service';
/** The script that the units of secrets run; a package has it in a place of its own. */
const script = { name: 'autark-secret', path: '/var/lib/autark/autark-secret' } as const;

/** The agent's units on a machine where an administrator may install some. */
export function systemdServices(options: ServicesOptions): Services {
  const { root, shipped, env } = options;
  return {
    obstacle() {
      if (root !== '/') return 'a machine below --root has no units of its own';
      if (!isBootedBySystemd()) return 'systemd does not run this machine';
      return process.geteuid?.() === 0 ? null : 'only root may install units';
    },
    areDeclared: () => false,
    arePackaged: () => root === '/' && existsSync(packaged),
    async install(program) {
      const users = await makeUsers(options);
      if (!users.ok) return users;
      const command = program.map(word).join(' ');
      // Units that a package brought are taken as they are.
      const written = existsSync(packaged) ? ok(undefined) : await writeUnits(shipped, command);
      if (!written.ok) return written;
      const reloaded = await call(env, [['daemon-reload']]);
      if (!reloaded.ok) return reloaded;
      const started = await call(env, await startsOf(env));
      return started.ok ? ok('units') : started;
    },
    async uninstall() {
      await askSystemd('systemctl', ['disable', '--quiet', '--now', 'autark-once.timer', ...enabled], env);
      // A cycle that the timer began does not end with the timer.
      await askSystemd('systemctl', ['stop', 'autark-once.service'], env);
      try {
        for (const unit of units) await removeDurably(join(folder, unit));
        // What is placed stays until the machine is down: whoever uses it is not the agent's to end.
        await removeDurably(script.path);
      } catch (error) {
        return fail(fileFailure(error, 'remove the units', folder));
      }
      const reloaded = await call(env, [['daemon-reload']]);
      // What was ended half way counts as failed, and systemd would go on listing it.
      await askSystemd('systemctl', ['reset-failed', ...units], env);
      return reloaded;
    },
  };
}

/** A machine whose cycles a timer begins goes on so: beside it, the agent would be stopped by each of them. */
async function startsOf(env: Readonly<Record<string, string>>): Promise<readonly (readonly string[])[]> {
  const timed = await askSystemd('systemctl', ['is-enabled', '--quiet', 'autark-once.timer'], env);
  return timed.ok
    ? [
        ['enable', '--quiet', ...boot],
        ['restart', 'autark-once.timer'],
      ]
    : [
        ['enable', '--quiet', ...enabled],
        ['restart', 'autark.service'],
      ];
}

async function writeUnits(shipped: ServicesOptions['shipped'], command: string): Promise<Result<void>> {
  const copied = await writeDurably(script.path, Buffer.from(shipped(script.name)), 0o755);
  if (!copied.ok) return copied;
  for (const unit of units) {
    // A function: in a string, `$` would have a meaning.
    const text = shipped(unit)
      .replaceAll('@autark@', () => command)
      .replaceAll('@secret@', script.path);
    const written = await writeDurably(join(folder, unit), Buffer.from(text), 0o644);
    if (!written.ok) return written;
  }
  return ok(undefined);
}

/** The users that git and builds run as (sysusers.d(5)): line by line, for there need not be a file of them. */
async function makeUsers({ shipped, env }: ServicesOptions): Promise<Result<void>> {
  const lines = shipped('autark.sysusers.conf')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const made = await askSystemd('systemd-sysusers', ['--inline', ...lines], env);
  return made.ok ? ok(undefined) : fail(refused(made.failure));
}

async function call(
  env: Readonly<Record<string, string>>,
  calls: readonly (readonly string[])[],
): Promise<Result<void>> {
  for (const args of calls) {
    const said = await askSystemd('systemctl', args, env);
    if (!said.ok) return fail(refused(said.failure));
  }
  return ok(undefined);
}

function refused(said: string): Failure {
  return {
    kind: 'unexpected',
    cause: `the units could not be installed: ${said}`,
    where: folder,
    remedy:
      'mend that and run `autark enroll` again; or give --no-service, and run `autark agent` in another way',
  };
}

/** One word of a command line in a unit (systemd.service(5), COMMAND LINES): quoted, `%` and `$` without a meaning. */
function word(text: string): string {
  const plain = text.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w./@:+%$-]+$/.test(plain) ? plain : `"${plain.replace(/[\\"]/g, '\\$&')}"`;
}
