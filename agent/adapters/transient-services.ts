import { fail, ok, type Failure } from '../../shared/failure.ts';
import type { Services } from '../unit-ports.ts';
import type { ServicesOptions } from './services.ts';
import { askSystemd, isBootedBySystemd, unitOf } from './systemd.ts';

/** The agent until the configuration has one, and the units of the configuration, which take its place. */
const unit = unitOf('enroll');
const declared = ['autark.service', 'autark-once.service'];

/**
 * The agent of a NixOS machine, where nobody can install units: a transient unit with the directives of the shipped
 * one, until a system brings that. Each of the declared units conflicts with it and is ordered after it, so it has
 * ended when they start, in the midst of the very activation that it began: that goes on in a unit of its own.
 */
export function transientServices({ root, shipped, env }: ServicesOptions): Services {
  return {
    obstacle() {
      if (root !== '/') return 'a machine below --root has no units of its own';
      if (!isBootedBySystemd()) return 'systemd does not run this machine';
      return process.geteuid?.() === 0 ? null : 'only root may start the agent as one';
    },
    areDeclared: () => root === '/',
    arePackaged: () => false,
    async install(program) {
      if (await hasDeclared(env)) return ok('declared');
      // One that an earlier call began may be of an older program.
      await askSystemd('systemctl', ['stop', unit], env);
      const started = await askSystemd('systemd-run', callOf(shipped('autark.service'), program, env), env);
      return started.ok ? ok('transient') : fail(refused(started.failure));
    },
    async uninstall() {
      if (await hasDeclared(env)) return fail(ofTheConfiguration);
      await askSystemd('systemctl', ['stop', unit], env);
      const left = await askSystemd('systemctl', ['is-active', '--quiet', unit], env);
      return left.ok ? fail(unstoppable) : ok(undefined);
    },
  };
}

async function hasDeclared(env: Readonly<Record<string, string>>): Promise<boolean> {
  const [name = ''] = declared;
  const said = await askSystemd('systemctl', ['show', '--property=LoadState', '--value', name], env);
  return said.ok && said.value === 'loaded';
}

function callOf(text: string, program: readonly string[], env: Readonly<Record<string, string>>): string[] {
  const properties = [
    'Description=autark: this machine follows its Git repository, until its configuration has the unit',
    'StartLimitIntervalSec=0',
    `Conflicts=${declared.join(' ')}`,
    `Before=${declared.join(' ')}`,
    ...serviceDirectives(text),
  ];
  return [
    ...['--quiet', '--collect', `--unit=${unit}`],
    ...properties.map((property) => `--property=${property}`),
    ...Object.entries(env).map(([name, value]) => `--setenv=${name}=${value}`),
    // systemd makes one dollar of two (systemd.service(5)).
    ...['--', ...[...program, 'agent'].map((word) => word.replaceAll('$', '$$$$'))],
  ];
}

/** `[Service]` of the shipped unit, but for the programs in it, which are elsewhere, and what is for NixOS' switch. */
function serviceDirectives(text: string): string[] {
  const [, section = ''] = /^\[Service\]\n([^[]*)/m.exec(text) ?? [];
  return section.split('\n').filter((line) => /^[A-Z]\w*=/.test(line) && !/^Exec/.test(line));
}

function refused(said: string): Failure {
  return {
    kind: 'unexpected',
    cause: `the agent could not be started: ${said}`,
    where: unit,
    remedy:
      'mend that and run `autark enroll` again; or give --no-service, and run `autark agent` in another way',
  };
}

const ofTheConfiguration: Failure = {
  kind: 'usage',
  cause: 'the units come with the configuration of this machine, so they cannot be removed here',
  where: 'services.autark',
  remedy: 'run `autark hold` to stop it from acting, and remove the module from the configuration',
};

const unstoppable: Failure = {
  kind: 'unexpected',
  cause: 'the agent did not end when it was asked to',
  where: unit,
  remedy: `look at \`systemctl status ${unit}\`, end it, and run \`autark enroll --uninstall\` again`,
};
