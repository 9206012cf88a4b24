import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DaemonFacts, UserFacts } from '../../../shared/doctor/host-state.ts';
import { parseUnit, unitProperties, type UnitFacts } from '../../../shared/doctor/units.ts';
import { ok } from '../../../shared/failure.ts';
import { oneLine } from '../../../shared/printable.ts';
import type { HostProbe } from '../../doctor-ports.ts';
import { accountsOf } from '../accounts.ts';
import { gitCommand, succeeded } from '../git/command.ts';
import { sshCommand } from '../git/access.ts';
import { gitEnvironment } from '../git/environment.ts';
import { fileHostKeys } from '../host-keys.ts';
import { fileJournals } from '../journal.ts';
import { readLock } from '../lock-file.ts';
import { nixEnvironment } from '../nix/environment.ts';
import { wordsOf } from '../nix/command.ts';
import { passedOn } from '../passed-on.ts';
import { fileSettings } from '../settings.ts';
import { loadSigner } from '../sign.ts';
import { pathsBelow, type Paths } from '../../../shared/paths.ts';
import { ask, patience, printed } from './programs.ts';
import { persistenceOf, spaceAt } from './places.ts';
import { addressOf, reach, serverClock } from './remote.ts';

export interface HostProbePlace {
  /** `/`, or the folder of `--root`. */
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where this shows that systemd runs the machine (sd_booted(3)); another folder in tests. */
  readonly systemd?: string;
}

/** A host as it is right now. */
export function hostProbe({ root, env, systemd = '/run/systemd/system' }: HostProbePlace): HostProbe {
  const paths = pathsBelow(root);
  const plain = passedOn(env);
  return {
    paths,
    settings: () => fileSettings(paths).load(),
    journal: () => fileJournals(paths.state).load(),
    user: () => userOf(paths.state),
    async key(settings) {
      const file = settings?.key ?? (await fileHostKeys(paths).standard()) ?? paths.hostKey;
      const signer = await loadSigner(file);
      return { file, key: signer.ok ? ok(signer.value.key) : signer };
    },
    objects: (names) => Promise.all(names.map((name) => objectOf(paths, env, name))),
    remote: (settings, which, signal) => reach(settings, which, { paths, env, signal }),
    serverClock: (settings, signal) => serverClock(settings, { paths, env, signal }),
    async isSynchronised(signal) {
      const shown = printed(
        await ask('timedatectl', ['show', '--property=NTPSynchronized', '--value'], plain, signal),
      );
      const word = shown?.trim();
      return word === 'yes' || word === 'no' ? word === 'yes' : null;
    },
    space: spaceAt,
    persistence: persistenceOf,
    machineId: () => machineIdBelow(root),
    units: (unit, signal) => (root === '/' ? unitsOf(unit, systemd, plain, signal) : elsewhere),
    daemon: () => daemonOf(join(paths.state, 'daemon.lock')),
    async nix(signal) {
      const nix = nixEnvironment(paths.nix, sshCommand({ knownHosts: [] }), env);
      const ran = await ask('nix', ['--version'], nix, signal);
      const version = printed(ran);
      if (version !== null) return { version: oneLine(version), problem: null };
      return { version: null, problem: ran.ending.how === 'unstartable' ? null : wordsOf(ran) };
    },
    address: addressOf,
  };
}

const elsewhere = Promise.resolve<UnitFacts>({ is: 'elsewhere' });

async function userOf(state: string): Promise<UserFacts> {
  const found = await stat(state).catch(() => null);
  return { own: process.geteuid?.() ?? 0, owner: found?.uid ?? null };
}

/** One git reads one object of the agent's directory, and writes nothing. */
async function objectOf(paths: Paths, env: HostProbePlace['env'], name: string): Promise<Uint8Array | null> {
  if (!existsSync(join(paths.git, 'objects'))) return null;
  // Nothing is asked of a server. Option-like names cannot come: they begin with a commit's digits.
  const kind = name.includes(':') ? 'blob' : 'commit';
  const accounts = accountsOf(paths.root);
  const git = gitCommand({
    directory: paths.git,
    env: gitEnvironment(paths.git, 'doctor', env, { knownHosts: [] }),
    isBounded: true,
    ...(accounts === null ? {} : { account: accounts.git }),
  });
  const ran = await git(['cat-file', kind, name], {
    timeout: patience,
    signal: new AbortController().signal,
  });
  return succeeded(ran) ? ran.stdout : null;
}

async function machineIdBelow(root: string): Promise<{ text: string | null; where: string }> {
  const own = join(root, 'etc/machine-id');
  const text = await readFile(own, 'utf8').catch(() => null);
  if (text !== null || root === '/') return { text, where: own };
  // As the agent does: a host below a root is on this machine.
  const where = '/etc/machine-id';
  return { text: await readFile(where, 'utf8').catch(() => null), where };
}

async function unitsOf(
  unit: string,
  systemd: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<UnitFacts> {
  if (!existsSync(systemd)) return { is: 'no-systemd' };
  const properties = unitProperties.map((name) => `--property=${name}`);
  const ran = await ask('systemctl', ['show', ...properties, unit], env, signal);
  const shown = printed(ran);
  return shown === null ? { is: 'silent', why: wordsOf(ran) } : { is: 'shown', properties: parseUnit(shown) };
}

async function daemonOf(lock: string): Promise<DaemonFacts> {
  try {
    const found = await readLock(lock);
    if (found === null) return { is: 'none' };
    return found.holder === null ? { is: 'dead' } : { is: 'running', pid: found.holder.pid };
  } catch (error) {
    return { is: 'hidden', why: oneLine(error instanceof Error ? error.message : String(error)) };
  }
}
