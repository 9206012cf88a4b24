import { ok, fail, type Result } from '../../../shared/failure.ts';
import type { ObjectId } from '../../../shared/objects/object.ts';
import type { Git, StateTip } from '../../git-ports.ts';
import type { Bounds } from '../../ports.ts';
import type { Finished } from '../process/run.ts';
import { succeeded, type GitCommand, type GitPost } from './command.ts';
import { fetchArguments } from './fetch-arguments.ts';
import type { RemoteName } from './config.ts';
import { endStrays } from '../strays.ts';
import { saysDamaged } from './damage.ts';
import { gitFailure, remoteFailure, saysRefused } from './failures.ts';
import { openAhead } from './ahead.ts';
import { openHeadFetcher, testingRef } from './fetch-head.ts';
import { openObjects } from './objects.ts';
import { pushArguments, pushFailure } from './push.ts';
import type { ReaderRules } from './reader.ts';
import { readRef } from './refs.ts';
import { openServers, type Servers, type ServersPlace, type Side } from './servers.ts';

export interface GitPlace extends ServersPlace {
  /**
   * The agent's own bare Git directory, absolute. Made when it is missing, and again when it is damaged: its
   * parent must be writable, and `DIRECTORY.fresh` and `DIRECTORY.old` are ours too.
   */
  readonly directory: string;
  readonly branch: string;
  /** Bytes above which an object is not read. */
  readonly objectCap?: number;
  /** Milliseconds that reading one object may take. */
  readonly readTimeout?: number;
  /** Another process may hold `daemon.lock` and work in the directory: nothing there is a leftover, then. */
  readonly isGuest?: boolean;
}

/** Milliseconds for unpacking a few records. */
const storeTimeout = 60_000;

/**
 * The agent's door to Git (S7). Objects that were stored but not yet pushed are lost when a damaged directory is
 * replaced, so they are stored again before each push.
 */
export function openGit(place: GitPlace): Git {
  const { directory } = place;
  const servers = openServers(place);
  const prepare = once(() => readyDirectory(place, servers));
  const rules = readerRules(place, servers.postIn(directory));
  const ahead = openAhead(rules);
  const objects = openObjects(rules, () => {
    head.distrust();
  });
  const head = openHeadFetcher({
    directory,
    branch: place.branch,
    host: place.host,
    ...servers.side('autark'),
    keeper: servers.keeper,
    ...(place.account === undefined ? {} : { account: place.account }),
    prepare: (where) => servers.prepareToReach(where),
    commandIn: (where) => servers.commandIn(where),
    onReplaced: () => {
      objects.renew();
    },
  });
  const run = async (
    again: (where: string) => Promise<Result<void>>,
    ...call: Parameters<Run>
  ): ReturnType<Run> => {
    const ready = await prepare();
    // Again each time: the directory may have been removed, or be another by now.
    const whole = ready.ok ? await again(directory) : ready;
    if (!whole.ok) return whole;
    const ran = await servers.commandIn(directory)(...call);
    // What fails may have left locks and half-written packs behind.
    if (!succeeded(ran)) await servers.keeper.sweep(directory);
    if (!succeeded(ran) && saysDamaged(ran.tail)) head.distrust();
    return ok(ran);
  };
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
    async readAhead(...call) {
      const ready = await prepare();
      if (ready.ok) await ahead.read(...call);
    },
    testingTip: () => Promise.resolve(readRef(directory, testingRef(place.host))),
    countCommits: (id, bounds) => countCommits(servers.commandIn(directory), id, bounds),
    async close() {
      await Promise.all([ahead.close(), objects.close()]);
    },
    ...writing(place, servers.side(stateName(place)), {
      local: (...call) => run((where) => servers.prepare(where), ...call),
      reach: (...call) => run((where) => servers.prepareToReach(where), ...call),
    }),
  };
}

/** Once an agent: what a predecessor left there is ended and removed. */
async function readyDirectory(place: GitPlace, servers: Servers): Promise<Result<void>> {
  const { directory, account } = place;
  if (place.isGuest !== true) {
    await endStrays('GIT_DIR', directory, account?.uid);
    await servers.keeper.sweep(directory);
  }
  return servers.prepare(directory);
}

function readerRules({ objectCap, readTimeout }: GitPlace, post: GitPost): ReaderRules {
  return { post, cap: objectCap ?? 256 * 2 ** 20, patience: readTimeout ?? 30_000 };
}

type Run = (args: readonly string[], bounds: Bounds, input?: Uint8Array) => Promise<Result<Finished>>;

/** git-rev-list(1): one walk, only when something is about to be built. */
async function countCommits(git: GitCommand, id: ObjectId, bounds: Bounds): Promise<Result<number>> {
  const ran = await git(['rev-list', '--count', id], bounds);
  const count = Number(new TextDecoder().decode(ran.stdout));
  if (succeeded(ran) && Number.isSafeInteger(count)) return ok(count);
  const remedy = 'the agent tries again by itself';
  const attempt = { doing: 'rev-list', where: id, timeout: bounds.timeout, remedy } as const;
  return fail(gitFailure(ran, { ...attempt, kind: 'unreachable' }));
}

/** Gits that work in the directory alone, and gits that talk to a server. */
interface Runs {
  readonly local: Run;
  readonly reach: Run;
}

function stateName({ stateRemote }: GitPlace): RemoteName {
  return stateRemote === undefined ? 'autark' : 'autark-state';
}

/** The host's own state branch. */
function writing(
  place: GitPlace,
  side: Side,
  { local, reach }: Runs,
): Pick<Git, 'fetchState' | 'store' | 'push'> {
  const { directory, host } = place;
  const name = stateName(place);
  return {
    async fetchState(bounds) {
      // A glob before the slash: an exact ref that the server lacks would fail the whole fetch.
      const refspec = `+refs/heads/state*/${host}:refs/autark/state*/${host}`;
      const ran = await reach(fetchArguments(name, refspec), bounds);
      if (!ran.ok) return ran;
      if (succeeded(ran.value)) {
        const id = readRef(directory, `refs/autark/state/${host}`);
        return ok(id === null ? null : { id, isRefused: false });
      }
      if (saysRefused(ran.value.tail)) return refusedTip(reach, name, side, host, bounds);
      return fail(remoteFailure(ran.value, 'fetch', side, bounds));
    },
    async store(pack) {
      const bounds = { timeout: storeTimeout, signal: new AbortController().signal };
      const ran = await local(['unpack-objects', '-q'], bounds, pack);
      if (!ran.ok) return ran;
      if (succeeded(ran.value)) return ok(undefined);
      const remedy = 'check the disk below that directory; the agent tries again by itself';
      const attempt = { doing: 'unpack-objects', where: directory, timeout: storeTimeout, remedy } as const;
      return fail(gitFailure(ran.value, { ...attempt, kind: 'unexpected' }));
    },
    async push(updates, bounds) {
      if (updates.length === 0) return ok(undefined);
      const ran = await reach(pushArguments(name, updates), bounds);
      if (!ran.ok) return ran;
      if (succeeded(ran.value)) return ok(undefined);
      return fail(pushFailure(ran.value, updates, side, bounds.timeout));
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
  reach: Run,
  name: RemoteName,
  side: Side,
  host: string,
  bounds: Bounds,
): Promise<Result<StateTip | null>> {
  const ref = `refs/heads/state/${host}`;
  const ran = await reach(['ls-remote', '--quiet', name, ref], bounds);
  if (!ran.ok) return ran;
  if (!succeeded(ran.value)) return fail(remoteFailure(ran.value, 'ls-remote', side, bounds));
  const line = new TextDecoder()
    .decode(ran.value.stdout)
    .split('\n')
    .find((each) => each.endsWith(`\t${ref}`));
  return ok(line === undefined ? null : { id: line.slice(0, 40), isRefused: true });
}
