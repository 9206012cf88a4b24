import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClockFacts } from '../../../shared/doctor/clock.ts';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import type { AgentSettings } from '../../../shared/fleet/fleet.ts';
import type { Paths } from '../../../shared/paths.ts';
import type { Address } from '../../../shared/scale/forges.ts';
import { isSshAddress } from '../../../shared/fleet/git-names.ts';
import type { Reached } from '../../doctor-ports.ts';
import { fileFailure } from '../file-failure.ts';
import { accountsOf } from '../accounts.ts';
import { accessOf } from '../git/access.ts';
import { gitCommand, succeeded } from '../git/command.ts';
import type { RemoteName } from '../git/config.ts';
import { remoteFailure } from '../git/failures.ts';
import { localPath, parseRemote, serverOf } from '../git/remote.ts';
import { openServers, type Servers } from '../git/servers.ts';

/** Milliseconds; a server that needs longer for a list of branches is ill. */
const patience = 20_000;

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Asks a server for its branches as the agent would, with its keys, token, known hosts and messages, but from a Git
 * directory of its own that goes again: nothing of a running agent is touched.
 */
export async function reach(
  settings: AgentSettings,
  which: 'remote' | 'stateRemote',
  { paths, env, signal }: { readonly paths: Paths; readonly env: Env; readonly signal: AbortSignal },
): Promise<Reached> {
  const servers = serversOf(settings, paths, env);
  const name: RemoteName = which === 'remote' ? 'autark' : 'autark-state';
  const side = servers.side(name);
  const ref = `refs/heads/${settings.branch}`;
  const seen = await inScratch(servers, async (directory) => {
    const bounds = { timeout: patience, signal };
    const ran = await servers.commandIn(directory)(['ls-remote', '--quiet', name, ref], bounds);
    if (!succeeded(ran)) return fail(remoteFailure(ran, 'ls-remote', side, bounds));
    return ok({ head: headIn(Buffer.from(ran.stdout).toString('utf8'), ref) });
  });
  return { where: side.where, seen };
}

/** The line of ls-remote that names exactly this ref. */
export function headIn(listed: string, ref: string): string | null {
  const line = listed.split('\n').find((each) => each.endsWith(`\t${ref}`));
  return line?.slice(0, line.indexOf('\t')) ?? null;
}

/**
 * The `Date` of an http server's answer: git's own trace has it, so that proxies and certificates count as they do for
 * the agent. git leaves the header with the token out of the trace (git(1), GIT_TRACE_REDACT).
 */
export async function serverClock(
  settings: AgentSettings,
  { paths, env, signal }: { readonly paths: Paths; readonly env: Env; readonly signal: AbortSignal },
): Promise<ClockFacts['server']> {
  const { url, origin } = parseRemote(settings.remote);
  if (origin === undefined) return null;
  const servers = serversOf(settings, paths, env);
  const asked = await inScratch(servers, async (directory) => {
    const post = servers.postIn(directory);
    const call = gitCommand({
      ...post,
      env: { ...post.env, GIT_TRACE_CURL: '2', GIT_TRACE_CURL_NO_DATA: '1' },
    });
    const ran = await call(['ls-remote', '--quiet', 'autark', 'HEAD'], { timeout: patience, signal });
    return ok({ tail: ran.tail, here: Date.now() });
  });
  if (!asked.ok) return null;
  const dates = [...asked.value.tail.matchAll(/<= Recv header: date: *([^\r\n]+)/gi)];
  const at = Date.parse(dates.at(-1)?.[1] ?? '');
  return Number.isNaN(at) ? null : { at, here: asked.value.here, name: serverOf(url).name };
}

function serversOf(settings: AgentSettings, paths: Paths, env: Env): Servers {
  const { remote, stateRemote, host } = settings;
  const access = accessOf(settings, paths);
  const accounts = accountsOf(paths.root);
  return openServers({
    ...(accounts === null ? {} : { account: accounts.git }),
    remote,
    ...(stateRemote === undefined ? {} : { stateRemote }),
    access,
    host,
    env,
  });
}

/** The token is written there, as for the agent: nobody else may look into it, and it goes whatever happens. */
async function inScratch<Value>(
  servers: Servers,
  work: (directory: string) => Promise<Result<Value>>,
): Promise<Result<Value>> {
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(tmpdir(), 'autark-doctor-'));
    const directory = join(folder, 'git');
    const ready = await servers.prepareToReach(directory);
    return ready.ok ? await work(directory) : fail(ready.failure);
  } catch (error) {
    return fail(fileFailure(error, 'make a folder to ask the server from', folder ?? tmpdir()));
  } finally {
    if (folder !== undefined) {
      await servers.keeper.remove(join(folder, 'git'));
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** Where a remote is, for its load. */
export function addressOf(remote: string): Address {
  if (localPath(remote) !== null) return { server: null, transport: 'local' };
  const server = serverOf(remote).name;
  if (isSshAddress(remote)) return { server, transport: 'ssh' };
  return { server, transport: /^https?:/i.test(remote) ? 'http' : 'git' };
}
