/**
 * What `autark secrets` works with. A boot waits for it, so it loads nothing else. Beside wire.ts, which has the other
 * roles.
 */
import type { Result } from '../shared/failure.ts';
import { pathsBelow, type Paths } from '../shared/paths.ts';
import type { BootSecrets, Opener } from './secret-ports.ts';

export interface BootSurroundings {
  /** Absolute; `/` on a real machine. */
  readonly root: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly isEarly: boolean;
}

/** The secrets of the machine below `root`. Without a key that opens them, each of them says so. */
export async function bootSecretsRole({ root, env, isEarly }: BootSurroundings): Promise<BootSecrets> {
  const [{ fileSecrets }, { currentSecrets }, { ageSealer }, { isBootedBySystemd }, { passedOn }] =
    await Promise.all([
      import('./adapters/secrets/store.ts'),
      import('./adapters/secrets/current.ts'),
      import('./adapters/age/sealer.ts'),
      import('./adapters/systemd.ts'),
      import('./adapters/passed-on.ts'),
    ]);
  const paths = pathsBelow(root);
  const { state, run } = paths;
  const store = fileSecrets({
    ...{ root, state, run, env: passedOn(env), isEarly },
    opener: await openerOf(paths),
    sealer: ageSealer(),
    hasSystemd: root === '/' && isBootedBySystemd(),
  });
  return { store, current: () => currentSecrets(state), lock: (signal) => lock(state, signal) };
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

async function openerOf(paths: Paths): Promise<Opener> {
  const [{ fileSettings }, { fileHostKeys }, { hostOpener }] = await Promise.all([
    import('./adapters/settings.ts'),
    import('./adapters/host-keys.ts'),
    import('./adapters/age/identities.ts'),
  ]);
  const settings = await fileSettings(paths).load();
  // A machine whose settings are damaged may have the key where it is looked for without any.
  const named = settings.ok ? settings.value?.key : undefined;
  const opener = await hostOpener(named ?? (await fileHostKeys(paths).standard()) ?? paths.hostKey);
  if (opener.ok) return opener.value;
  const failed: Result<never> = opener;
  return { open: () => Promise.resolve(failed) };
}
