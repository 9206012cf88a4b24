import { chmod, statfs } from 'node:fs/promises';
import { fail, ok, type Failure, type Result } from '../../../shared/failure.ts';
import { makeFolder } from '../durable.ts';
import { errorCode, fileFailure } from '../file-failure.ts';
import { askSystemd } from '../systemd.ts';
import type { Layout } from './layout.ts';

/** Of statfs(2). */
const ramfs = 0x858458f6;
const tmpfs = 0x01021994;

const mount = 'run-autark-secrets.d.mount';
const options = 'mode=0751,nosuid,nodev,noexec';

export interface MemoryOptions {
  readonly layout: Layout;
  readonly env: Readonly<Record<string, string>>;
  readonly hasSystemd: boolean;
}

/**
 * Makes `secrets.d`, in memory (S13). Where systemd runs the machine it mounts a ramfs there, which is never swapped: the
 * agent has a mount namespace of its own, and what it mounted would be seen by nobody else.
 */
export async function prepareMemory({ layout, env, hasSystemd }: MemoryOptions): Promise<Result<void>> {
  const { root, run, store } = layout;
  try {
    await makeFolder(run, 0o755);
    if ((await typeOf(store)) === ramfs) return ok(undefined);
    if (root === '/' && hasSystemd) {
      const said = await mountRamfs(store, env);
      if (said !== null) return fail(unmounted(said, store));
      if ((await typeOf(store)) !== ramfs) return fail(unmounted('it is not there after all', store));
      return ok(undefined);
    }
    const type = await typeOf(run);
    if (type !== tmpfs && type !== ramfs) return fail(onDisk(run));
    await makeFolder(store, 0o751);
    await chmod(store, 0o751);
    return ok(undefined);
  } catch (error) {
    return fail(fileFailure(error, 'make a place for secrets', store));
  }
}

/** What it complained of; `null` when it is mounted. Units that an older agent installed do not have the mount. */
async function mountRamfs(store: string, env: MemoryOptions['env']): Promise<string | null> {
  const started = await askSystemd('systemctl', ['start', mount], env);
  if (started.ok && (await typeOf(store)) === ramfs) return null;
  const call = ['--quiet', '--collect', '--type=ramfs', `--options=${options}`, 'ramfs', store];
  const mounted = await askSystemd('systemd-mount', call, env);
  return mounted.ok ? null : mounted.failure;
}

/** Whether a folder lies in memory; a missing one does not. */
export async function isInMemory(folder: string): Promise<boolean> {
  const type = await typeOf(folder);
  return type === tmpfs || type === ramfs;
}

async function typeOf(folder: string): Promise<number | null> {
  try {
    // A number of 32 bits, which some kernels give with a sign.
    return (await statfs(folder)).type >>> 0;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

function unmounted(said: string, where: string): Failure {
  return {
    kind: 'secret-unopened',
    cause: `no secret can be placed: no ramfs could be mounted: ${said}`,
    where,
    remedy: `look with \`systemctl status ${mount}\`; the agent tries again by itself`,
  };
}

function onDisk(where: string): Failure {
  return {
    kind: 'secret-unopened',
    cause: 'no secret can be placed: this folder does not lie in memory',
    where,
    remedy: `mount a tmpfs there: mount -t tmpfs -o mode=0755 tmpfs ${where}`,
  };
}
