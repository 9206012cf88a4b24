import { fail, ok, type Failure, type Result } from '../../../shared/failure.ts';
import type { ObjectId } from '../../../shared/objects/object.ts';
import type { Bounds } from '../../ports.ts';
import type { Finished } from '../process/run.ts';
import type { Account } from '../process/account.ts';
import { succeeded, type GitCommand } from './command.ts';
import { fetchArguments } from './fetch-arguments.ts';
import { openDoubt } from './doubt.ts';
import { countPacks, swapDirectory, sweepReplacements } from './directory.ts';
import { remoteFailure, saysRefused, saysShallow } from './failures.ts';
import type { Housekeeper } from './housekeeper.ts';
import { readRef } from './refs.ts';
import type { Side } from './servers.ts';

export interface HeadFetcher {
  fetch(bounds: Bounds): Promise<Result<ObjectId>>;
  /** Has the next fetch begin with a new directory: something in this one could not be read. */
  distrust(): void;
}

export interface HeadPlace extends Side {
  readonly directory: string;
  /** Makes a directory ready to fetch into; fails with `agent-config` when the settings are at fault. */
  readonly prepare: (directory: string) => Promise<Result<void>>;
  readonly keeper: Housekeeper;
  /** As whom git runs, when not as the agent. */
  readonly account?: Account;
  readonly branch: string;
  readonly host: string;
  readonly commandIn: (directory: string) => GitCommand;
  /** Called when another directory took the place of the old one. */
  readonly onReplaced: () => void;
}

/** From how many packs on they are joined. */
const manyPacks = 50;

/** Where the configuration branch ends up. */
export const headRef = 'refs/autark/config';

/** Where the host's branch for testing ends up, if there is one. */
export function testingRef(host: string): string {
  return `refs/autark/testing/${host}`;
}

/** With a glob before the slash: an exact ref that the server lacks would fail the whole fetch (S7). */
function testingRefspec(host: string): string {
  return `+refs/heads/testing*/${host}:refs/autark/testing*/${host}`;
}

/**
 * Fetches the configuration branch, and the host's branch for testing with it. When that fails again, or objects could not be read, the Git directory may be
 * at fault, in one of many ways: it is fetched anew beside the old one, and takes its place only if that works.
 * So a damaged directory mends itself, an unreachable server costs nothing that is there, and nobody need
 * understand what git said.
 */
export function openHeadFetcher(place: HeadPlace): HeadFetcher {
  const doubt = openDoubt(`${place.directory}.doubt`);
  let newest: ObjectId | null = null;
  let isSwept = false;

  /** Joins small packs and loose objects (git-repack(1)), seldom, and only after something new came. */
  async function joinPacks(head: ObjectId, bounds: Bounds): Promise<void> {
    const isNew = head !== newest;
    newest = head;
    if (!isNew || (await countPacks(place.directory)) < manyPacks) return;
    // Git's own maintenance would come whenever it likes. Should this fail, all is as it was.
    await place.commandIn(place.directory)(['repack', '-q', '-d', '--geometric=2'], bounds);
  }

  async function fetchInto(directory: string, bounds: Bounds): Promise<Result<ObjectId, Failed>> {
    const ready = await place.prepare(directory);
    // Neither a full disk nor the settings are a doubt; anything else that stands in the directory's place is one.
    if (!ready.ok) return fail({ failure: ready.failure, certain: ready.failure.kind !== 'unexpected' });
    const refspecs = [`+refs/heads/${place.branch}:${headRef}`, testingRefspec(place.host)];
    const ran = await place.commandIn(directory)(fetchArguments('autark', ...refspecs), bounds);
    if (!succeeded(ran)) {
      await place.keeper.sweep(directory);
      return fail(headFailure(ran, place, bounds.timeout));
    }
    // Git calls that a success: without this, a host would take what it had for what the server shows.
    if (saysShallow(ran.tail)) return fail({ failure: shallow(place), certain: true });
    const head = readRef(directory, headRef);
    return head === null ? fail({ failure: noHead(directory), certain: false }) : ok(head);
  }

  async function fetchAnew(bounds: Bounds): Promise<Result<ObjectId, Failed>> {
    const fresh = `${place.directory}.fresh`;
    await place.keeper.remove(fresh);
    const head = await fetchInto(fresh, bounds);
    if (!head.ok) {
      await place.keeper.remove(fresh);
      return head;
    }
    const swapped = await swapDirectory(place.directory, fresh, place.keeper);
    if (!swapped.ok) return fail({ failure: swapped.failure, certain: true });
    place.onReplaced();
    return head;
  }

  return {
    distrust: () => {
      doubt.set({ ...doubt.now(), distrusted: true });
    },
    async fetch(bounds) {
      const begun = performance.now();
      if (!isSwept) await sweepReplacements(place.directory, place.keeper, place.account?.uid);
      isSwept = true;
      const { distrusted, failures } = doubt.now();
      let head = await (distrusted ? fetchAnew(bounds) : fetchInto(place.directory, bounds));
      if (!head.ok && !distrusted && !head.failure.certain && !bounds.signal.aborted) {
        doubt.set({ failures: failures + 1, distrusted });
        const timeout = Math.max(1, bounds.timeout - (performance.now() - begun));
        const anew = isDue(failures + 1) ? await fetchAnew({ ...bounds, timeout }) : head;
        if (anew.ok) head = anew;
      }
      if (!head.ok) return fail(head.failure.failure);
      doubt.clear();
      await joinPacks(head.value, bounds);
      return head;
    },
  };
}

/** The second failure in a row, the fourth, the eighth: soon, and then ever more seldom. */
function isDue(failures: number): boolean {
  return failures >= 2 && Number.isInteger(Math.log2(failures));
}

interface Failed {
  readonly failure: Failure;
  /** Whether the Git directory is surely not the reason. */
  readonly certain: boolean;
}

function headFailure(ran: Finished, place: HeadPlace, timeout: number): Failed {
  const { branch } = place;
  const failure = remoteFailure(ran, 'fetch', place, { timeout });
  if (ran.ending.how !== 'exited') return { failure, certain: true };
  // Words of git's decide nothing but what is said, and that this directory is not at fault.
  if (saysRefused(ran.tail)) {
    const cause = `${branch} holds an object that git refuses: ${failure.cause}`;
    const remedy = `take the commit that brought it out of ${branch}: push its parent with --force, and the change anew`;
    return { failure: { ...failure, kind: 'invalid', cause, remedy }, certain: true };
  }
  if (!/couldn't find remote ref/i.test(ran.tail)) return { failure, certain: false };
  const cause = `the remote has no branch ${branch}`;
  const remedy = `push it (git push -u origin ${branch}), or correct \`branch\` in agent.yaml`;
  // git takes any page for the list of a repository's refs (gitprotocol-http(5), "Dumb Clients").
  const page = /^http/.test(place.where) ? '; or a login page answers instead of a Git server' : '';
  return { failure: { ...failure, cause, remedy: remedy + page }, certain: true };
}

function shallow({ branch, where }: HeadPlace): Failure {
  return {
    kind: 'unreachable',
    cause: `the server shows ${branch} with its history cut short, and a shallow history is never taken`,
    where,
    remedy:
      'have the server hold all of it (`git fetch --unshallow` there), and look at who changed that; ' +
      'the agent tries again by itself',
  };
}

function noHead(directory: string): Failure {
  return {
    kind: 'unexpected',
    cause: `git fetch succeeded, but ${headRef} is not there`,
    where: directory,
    remedy: 'the agent fetches everything anew by itself; if this stays, remove that directory',
  };
}
