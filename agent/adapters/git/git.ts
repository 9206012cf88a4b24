import { ok, fail, type Result } from '../../../shared/failure.ts';
import type { ObjectId } from '../../../shared/objects/object.ts';
import type { Bounds, Git, StateTip } from '../../ports.ts';
import type { Finished } from '../process/run.ts';
import { fetchArguments, gitCommand, succeeded, type GitCommand } from './command.ts';
import { gitConfig, type RemoteName } from './config.ts';
import { endStrays } from '../strays.ts';
import { prepareDirectory, sweepDirectory } from './directory.ts';
import { gitEnvironment } from './environment.ts';
import { gitFailure, remoteRemedy, saysRefused } from './failures.ts';
import { openHeadFetcher, testingRef } from './fetch-head.ts';
import { openObjects } from './objects.ts';
import { pushArguments, pushFailure } from './push.ts';
import { readRef } from './refs.ts';
import { withoutCredentials } from '../../../shared/credentials.ts';

export interface GitPlace {
  /**
   * The agent's own bare Git directory, absolute. Made when it is missing, and again when it is damaged: its
   * parent must be writable, and `DIRECTORY.fresh` and `DIRECTORY.old` are ours too.
   */
  readonly directory: string;
  readonly remote: string;
  /** Where state branches live, if not in `remote`. */
  readonly stateRemote?: string;
  readonly branch: string;
  readonly host: string;
  /** Whence PATH, proxies and certificates are taken; nothing else of it reaches git. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Bytes above which an object is not read. */
  readonly objectCap?: number;
  /** Milliseconds that reading one object may take. */
  readonly readTimeout?: number;
}

/** Milliseconds for unpacking a few records. */
const storeTimeout = 60_000;

/**
 * The agent's door to Git (S7). Objects that were stored but not yet pushed are lost when a damaged directory is
 * replaced, so they are stored again before each push.
 */
export function openGit(place: GitPlace): Git {
  const { directory, remote, stateRemote } = place;
  const config = gitConfig({
    autark: remote,
    ...(stateRemote === undefined ? {} : { 'autark-state': stateRemote }),
  });
  const environmentIn = (where: string) => gitEnvironment(where, place.host, place.env);
  const commandIn = (where: string) => gitCommand(where, environmentIn(where));
  const prepare = once(async () => {
    await endStrays('GIT_DIR', directory);
    await sweepDirectory(directory);
    return prepareDirectory(directory, config);
  });
  const objects = openObjects(
    {
      directory,
      env: environmentIn(directory),
      cap: place.objectCap ?? 256 * 2 ** 20,
      patience: place.readTimeout ?? 30_000,
    },
    () => {
      head.distrust();
    },
  );
  const head = openHeadFetcher({
    ...place,
    config,
    where: withoutCredentials(remote),
    commandIn,
    onReplaced: () => {
      objects.renew();
    },
  });
  return {
    async fetchHead(bounds) {
      // Whatever is wrong with the directory, this is where it is replaced.
      await prepare();
      return head.fetch(bounds);
    },
    async read(id) {
      const ready = await prepare();
      return ready.ok ? objects.read(id) : ready;
    },
    testingTip: () => readRef(directory, testingRef(place.host)),
    countCommits: (id, bounds) => countCommits(commandIn(directory), id, bounds),
    close: () => objects.close(),
    ...writing(place, async (args, bounds, input) => {
      const ready = await prepare();
      // Again each time: the directory may have been removed, or be another by now.
      const whole = ready.ok ? prepareDirectory(directory, config) : ready;
      if (!whole.ok) return whole;
      const ran = await commandIn(directory)(args, bounds, input);
      // What fails may have left locks and half-written packs behind.
      if (!succeeded(ran)) await sweepDirectory(directory);
      return ok(ran);
    }),
  };
}

type Run = (args: readonly string[], bounds: Bounds, input?: Uint8Array) => Promise<Result<Finished>>;

/** git-rev-list(1): one walk, only when something is about to be built. */
async function countCommits(git: GitCommand, id: ObjectId, bounds: Bounds): Promise<Result<number>> {
  const ran = await git(['rev-list', '--count', id], bounds);
  const count = Number(new TextDecoder().decode(ran.stdout));
  if (succeeded(ran) && Number.isSafeInteger(count)) return ok(count);
  const attempt = { doing: 'rev-list', where: id, timeout: bounds.timeout, remedy: remoteRemedy } as const;
  return fail(gitFailure(ran, { ...attempt, kind: 'unreachable' }));
}

/** The host's own state branch. */
function writing(place: GitPlace, run: Run): Pick<Git, 'fetchState' | 'store' | 'push'> {
  const { directory, host, stateRemote } = place;
  const name: RemoteName = stateRemote === undefined ? 'autark' : 'autark-state';
  const where = withoutCredentials(stateRemote ?? place.remote);
  return {
    async fetchState(bounds) {
      // A glob before the slash: an exact ref that the server lacks would fail the whole fetch.
      const refspec = `+refs/heads/state*/${host}:refs/autark/state*/${host}`;
      const ran = await run(fetchArguments(name, refspec), bounds);
      if (!ran.ok) return ran;
      if (succeeded(ran.value)) {
        const id = await readRef(directory, `refs/autark/state/${host}`);
        return ok(id === null ? null : { id, isRefused: false });
      }
      if (saysRefused(ran.value.tail))
        return refusedTip(run, { name, ref: `refs/heads/state/${host}` }, bounds);
      const attempt = { doing: 'fetch', where, timeout: bounds.timeout, remedy: remoteRemedy } as const;
      return fail(gitFailure(ran.value, { ...attempt, kind: 'unreachable' }));
    },
    async store(pack) {
      const bounds = { timeout: storeTimeout, signal: new AbortController().signal };
      const ran = await run(['unpack-objects', '-q'], bounds, pack);
      if (!ran.ok) return ran;
      if (succeeded(ran.value)) return ok(undefined);
      const remedy = 'check the disk below that directory; the agent tries again by itself';
      const attempt = { doing: 'unpack-objects', where: directory, timeout: storeTimeout, remedy } as const;
      return fail(gitFailure(ran.value, { ...attempt, kind: 'unexpected' }));
    },
    async push(updates, bounds) {
      if (updates.length === 0) return ok(undefined);
      const ran = await run(pushArguments(name, updates), bounds);
      if (!ran.ok) return ran;
      if (succeeded(ran.value)) return ok(undefined);
      return fail(pushFailure(ran.value, updates, where, bounds.timeout));
    },
  };
}

/** Does it when first asked, and again only if it failed. */
function once(work: () => Promise<Result<void>>): () => Promise<Result<void>> {
  let done: Promise<Result<void>> | undefined;
  return async () => {
    done ??= work();
    const result = await done;
    if (!result.ok) done = undefined;
    return result;
  };
}

/** Where a branch is that git would not fetch: asked for without its objects (git-ls-remote(1)). */
async function refusedTip(
  run: Run,
  { name, ref }: { readonly name: RemoteName; readonly ref: string },
  bounds: Bounds,
): Promise<Result<StateTip | null>> {
  const ran = await run(['ls-remote', '--quiet', name, ref], bounds);
  if (!ran.ok) return ran;
  if (!succeeded(ran.value)) {
    const attempt = {
      doing: 'ls-remote',
      where: ref,
      timeout: bounds.timeout,
      remedy: remoteRemedy,
    } as const;
    return fail(gitFailure(ran.value, { ...attempt, kind: 'unreachable' }));
  }
  const line = new TextDecoder()
    .decode(ran.value.stdout)
    .split('\n')
    .find((each) => each.endsWith(`\t${ref}`));
  return ok(line === undefined ? null : { id: line.slice(0, 40), isRefused: true });
}
