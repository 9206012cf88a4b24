/**
 * Where a host's secrets are kept and placed: for an agent, and for `autark secrets`, for which a boot waits, so that it
 * loads nothing else. Beside wire.ts, which has the other roles.
 */
import type { Result } from '../shared/failure.ts';
import { pathsBelow, type Paths } from '../shared/paths.ts';
import type { PrivateKey } from '../shared/trust/ssh-key.ts';
import type { Ledgers } from './ledger-ports.ts';
import type { Steps } from './step-ports.ts';
import type { BootSecrets, Opener, Sealer, SecretStore } from './secret-ports.ts';

/** What opens what is sealed to a host, and seals. */
interface Sealing {
  readonly opener: Opener;
  readonly sealer: Sealer;
}

/**
 * For an agent. Loaded when the first value is to be opened or sealed: a host that has none, or nothing new, pays nothing
 * for it.
 * @param key the host's own
 */
function hostSealing(key: PrivateKey): Sealing {
  let opener: Promise<Opener> | undefined;
  let sealer: Promise<Sealer> | undefined;
  return {
    opener: { open: async (sealed, where) => (await (opener ??= openerWith(key))).open(sealed, where) },
    sealer: { seal: async (value, recipients) => (await (sealer ??= loadSealer())).seal(value, recipients) },
  };
}

export interface SealedSurroundings {
  readonly paths: Paths;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly hasSystemd: boolean;
}

/** What is sealed to a host's own key, for an agent: its secrets, and its ledger; and its steps, whose results are. */
export async function sealedParts(
  key: PrivateKey,
  { paths, env, hasSystemd }: SealedSurroundings,
): Promise<{ readonly secrets: SecretStore; readonly ledgers: Ledgers; readonly steps: Steps }> {
  const [{ fileSecrets }, { fileLedgers }, { openSteps }, { passedOn }] = await Promise.all([
    import('./adapters/secrets/store.ts'),
    import('./adapters/ledger.ts'),
    import('./adapters/steps/steps.ts'),
    import('./adapters/passed-on.ts'),
  ]);
  const sealing = hostSealing(key);
  const { root, state, run, sealed } = paths;
  return {
    secrets: fileSecrets({ ...sealing, root, state, run, env: passedOn(env), hasSystemd }),
    ledgers: fileLedgers({ ...sealing, folder: sealed }),
    steps: openSteps({ folder: `${run}/steps`, endings: paths.activation, env, hasSystemd }),
  };
}

async function openerWith(key: PrivateKey): Promise<Opener> {
  const [{ openerFor }, { sshIdentity }] = await Promise.all([
    import('./adapters/age/opener.ts'),
    import('./adapters/age/ssh-identity.ts'),
  ]);
  return openerFor([sshIdentity(key)]);
}

async function loadSealer(): Promise<Sealer> {
  return (await import('./adapters/age/sealer.ts')).ageSealer();
}

export interface BootSurroundings {
  /** Absolute; `/` on a real machine. */
  readonly root: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly isEarly: boolean;
}

/** The secrets of the machine below `root`. Without a key that opens them, each of them says so. */
export async function bootSecretsRole({ root, env, isEarly }: BootSurroundings): Promise<BootSecrets> {
  const [{ fileSecrets }, { secretsOf }, { ageSealer }, { isBootedBySystemd }, { passedOn }] =
    await Promise.all([
      import('./adapters/secrets/store.ts'),
      import('./adapters/secrets/current.ts'),
      import('./adapters/age/sealer.ts'),
      import('./adapters/systemd.ts'),
      import('./adapters/passed-on.ts'),
    ]);
  const paths = pathsBelow(root);
  const { state, run } = paths;
  const key = await openerOf(paths);
  const store = fileSecrets({
    ...{ root, state, run, env: passedOn(env), isEarly },
    opener: key.ok ? key.value : { open: () => Promise.resolve(key) },
    sealer: ageSealer(),
    hasSystemd: root === '/' && isBootedBySystemd(),
  });
  return { store, key, wanted: (system) => secretsOf(state, system), lock: (signal) => lock(state, signal) };
}

/** Milliseconds awake; less than a boot, or whoever goes back, gives to all of it. */
const patience = 30_000;

async function lock(state: string, signal: AbortSignal): Promise<Result<() => Promise<void>>> {
  const [{ fileLocks }, { systemClock }] = await Promise.all([
    import('./adapters/lock.ts'),
    import('./adapters/clock.ts'),
  ]);
  return fileLocks(state, 'autark secrets install', systemClock()).acquire('cycle', {
    ...{ timeout: patience, signal },
  });
}

async function openerOf(paths: Paths): Promise<Result<Opener>> {
  const [{ fileSettings }, { fileHostKeys }, { hostOpener }] = await Promise.all([
    import('./adapters/settings.ts'),
    import('./adapters/host-keys.ts'),
    import('./adapters/age/identities.ts'),
  ]);
  const settings = await fileSettings(paths).load();
  // A machine whose settings are damaged may have the key where it is looked for without any.
  const named = settings.ok ? settings.value?.key : undefined;
  return hostOpener(named ?? (await fileHostKeys(paths).standard()) ?? paths.hostKey);
}
