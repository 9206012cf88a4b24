/**
 * What plays which part: one function a role, each loading only the adapters that it needs. The only file that imports
 * adapters, with wire-host.ts, wire-watch.ts and wire-secrets.ts.
 */
import type { Result } from '../shared/failure.ts';
import type { Clone, CloneEditor, SecretDesk, Terminal } from './clone-ports.ts';
import type { CloneProbe, HostProbe } from './doctor-ports.ts';
import type { Log } from './ports.ts';
import { terminalOf } from './adapters/terminal.ts';

/** What a role may know of the process: handed in by main. */
export interface Surroundings {
  readonly cwd: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
}

/** The terminal that this process was started on. */
export function terminalRole(env: Readonly<NodeJS.ProcessEnv>, signal: AbortSignal): Terminal {
  return terminalOf({ input: process.stdin, output: process.stdout, notes: process.stderr, env, signal });
}

/** The person's clone around the current directory, for the commands that read. */
export async function cloneRole(
  surroundings: Surroundings,
  signal: AbortSignal,
  mayBeDetached = false,
): Promise<Result<Clone>> {
  const { openClone } = await import('./adapters/clone.ts');
  const opened = await openClone({ ...surroundings, signal }, { mayBeDetached });
  return opened.ok ? { ok: true, value: opened.value.clone } : opened;
}

/** The same for the commands that commit. */
export async function cloneEditorRole(
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<Result<CloneEditor>> {
  const [{ openClone }, { editorOf }] = await Promise.all([
    import('./adapters/clone.ts'),
    import('./adapters/clone-editor.ts'),
  ]);
  const opened = await openClone({ ...surroundings, signal });
  return opened.ok ? { ok: true, value: editorOf(opened.value, surroundings) } : opened;
}

/** Where a person's secrets are sealed and opened. */
export async function secretDeskRole(env: Surroundings['env']): Promise<SecretDesk> {
  const { secretDesk } = await import('./adapters/clone-desk.ts');
  return secretDesk({ env, input: process.stdin, output: process.stdout });
}

/** The same for `doctor`, which only looks. */
export async function cloneProbeRole(
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<Result<CloneProbe>> {
  const [{ openClone }, { cloneProbe }] = await Promise.all([
    import('./adapters/clone.ts'),
    import('./adapters/doctor/clone.ts'),
  ]);
  const opened = await openClone({ ...surroundings, signal });
  return opened.ok ? { ok: true, value: cloneProbe(opened.value, surroundings) } : opened;
}

/** The machine below `root`, for `doctor`, which only looks. */
export async function hostProbeRole(root: string, env: Surroundings['env']): Promise<HostProbe> {
  const { hostProbe } = await import('./adapters/doctor/host.ts');
  return hostProbe({ root, env });
}

/** 128 random bits, for what a clone command makes anew. */
export async function randomId(): Promise<string> {
  const { systemRandom } = await import('./adapters/random.ts');
  return systemRandom().id();
}

/** The agent's log on standard error: JSON under systemd, else text; on a terminal builds have a bar below it. */
export async function logRole(env: Readonly<NodeJS.ProcessEnv>): Promise<Log> {
  const [{ winstonLog }, { systemClock }, { progressBar, seldomProgress }] = await Promise.all([
    import('./adapters/log.ts'),
    import('./adapters/clock.ts'),
    import('./adapters/progress.ts'),
  ]);
  const json = env['JOURNAL_STREAM'] !== undefined;
  const level = env['AUTARK_DEBUG'] === '1' ? 'debug' : 'info';
  const { stderr } = process;
  const clock = systemClock();
  const log = winstonLog({ stream: stderr, json, level, clock });
  if (json || !stderr.isTTY || env['TERM'] === 'dumb') return seldomProgress(log, clock);
  return progressBar(log, { write: (text) => stderr.write(text), columns: () => stderr.columns || 80 });
}

/** The roles as the verbs ask for them. */
export function roles(surroundings: Surroundings) {
  const { env } = surroundings;
  return {
    agentHost: async (root: string) => {
      const [{ agentHostRole }, log] = await Promise.all([import('./wire-host.ts'), logRole(env)]);
      return agentHostRole({ root, env, log });
    },
    bootSecrets: async (root: string, isEarly: boolean) =>
      (await import('./wire-secrets.ts')).bootSecretsRole({ root, env, isEarly }),
    clone: (signal: AbortSignal) => cloneRole(surroundings, signal),
    anyClone: (signal: AbortSignal) => cloneRole(surroundings, signal, true),
    cloneEditor: (signal: AbortSignal) => cloneEditorRole(surroundings, signal),
    secretDesk: () => secretDeskRole(env),
    randomId,
    hostProbe: (root: string) => hostProbeRole(root, env),
    cloneProbe: (signal: AbortSignal) => cloneProbeRole(surroundings, signal),
  };
}
