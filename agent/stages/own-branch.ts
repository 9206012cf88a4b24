import type { Journal } from '../../shared/cycle/journal.ts';
import type { Seen } from '../../shared/record/delivery.ts';
import { parseCommit } from '../../shared/objects/commit.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { readRecord, signatureProblem, type Found } from '../../shared/record/tip.ts';
import { fail, ok, type Result } from '../../shared/failure.ts';
import type { Context } from '../context.ts';
import type { StateTip } from '../git-ports.ts';
import type { Bounds } from '../ports.ts';
import { readFound } from '../objects/read.ts';
import { isOlder as isOlderMachines } from './older.ts';
import { storeOutbox } from './waiting.ts';
import { isBreak, openOwnChain, walkChain, type OwnChain } from './own-chain.ts';

/** What the server has as this host's state branch; asked once in a cycle unless what was seen is out of date. */
export async function sightOf({ effects, sight }: Context, bounds: Bounds): Promise<Result<StateTip | null>> {
  if (sight.tip !== undefined) return ok(sight.tip);
  const fetched = await effects('record').git.fetchState(bounds);
  if (fetched.ok) {
    sight.tip = fetched.value;
    sight.isSaid = false;
  }
  return fetched;
}

/**
 * The newest record of the machine that was this host before, which this machine's first record is to name, so that no
 * history is lost (P6); `null` when there is none. Where somebody had this name before, it cannot be told without the
 * server; any other machine waits for nobody.
 */
export async function olderTip(context: Context): Promise<Result<ObjectId | null>> {
  const { memory, signal } = context;
  const { follows, pace } = memory.journal;
  const tip = follows
    ? await sightOf(context, { timeout: pace.fetch, signal })
    : ok(context.sight.tip ?? null);
  if (!tip.ok) return tip;
  if (tip.value === null || tip.value.isRefused) return ok(null);
  const { id } = tip.value;
  const older = await isOlderMachines(context, id);
  return older.ok ? ok(older.value ? id : null) : older;
}

/** What the server's tip is to this host. Bytes that git refused can only be somebody else's. */
export async function classify(context: Context, tip: StateTip | null): Promise<Result<Seen>> {
  if (tip === null) return ok({ is: 'absent' });
  const { id } = tip;
  const { journal } = context.memory;
  if (id === journal.tip) return ok({ is: 'tip' });
  if (id === journal.delivered) return ok({ is: 'ours', id, isOlder: false });
  if (id === journal.replaces) return ok({ is: 'older', id });
  if (tip.isRefused) return ok({ is: 'foreign', id });
  if (journal.approved && journal.seq === 0) {
    // Its first record is not made yet: it will follow this one.
    const older = await isOlderMachines(context, id);
    if (!older.ok || older.value) return older.ok ? ok({ is: 'older', id }) : older;
  }
  const { git } = context.effects('record');
  const read = await git.read(id);
  if (!read.ok) return read;
  const { bytes } = read.value;
  const commit = parseCommit(bytes);
  const key = { key: context.senses.signer.key };
  const isSigned = commit.ok && signatureProblem({ commit: commit.value, bytes }, key) === undefined;
  if (!isSigned) return ok({ is: 'foreign', id });
  const stored = await storeOutbox(context.effects('record'));
  if (!stored.ok) return stored;
  const found = await readFound(git, id);
  return found.ok ? placeOf(context, found.value) : found;
}

/** Where a record that our key signed is in the history of this host, or how it leads there. */
async function placeOf(context: Context, found: Found): Promise<Result<Seen>> {
  const { git } = context.effects('record');
  const { journal } = context.memory;
  const own = openOwnChain(git, journal.tip, journal.seq);
  const record = readRecord(found);
  const { id } = found;
  const isOurs = id === journal.genesis || (record.ok && (await own.idAt(record.value.seq)) === id);
  if (isOurs) return ok({ is: 'ours', id, isOlder: isOlder(own, id, journal) });
  const walked = await walkChain(git, found, pinnedHere(context), async (each) => {
    return each.id === journal.genesis || (await own.idAt(each.seq)) === each.id;
  });
  if (!walked.ok) {
    const problem = walked.failure;
    return isBreak(problem) ? ok({ is: 'broken', id, ...problem }) : fail(problem);
  }
  const { records, ground } = walked.value;
  const [top] = records;
  if (top === undefined) throw new Error('a record that is not known is known');
  // With a new Git directory the older records are not here: then the record itself says whose it is.
  const isFromThisLife = top.installation === journal.installation && top.seq < own.lowest();
  return ok(isFromThisLife ? { is: 'ours', id, isOlder: true } : { is: 'unknown', id, records, ground });
}

/** Below what the server was seen to have; the genesis, which is known without a walk, is below everything. */
function isOlder(own: OwnChain, id: ObjectId, { delivered, genesis }: Journal): boolean {
  return delivered !== null && (id === genesis || own.isAbove(delivered));
}

function pinnedHere({ memory, senses }: Context) {
  const { fleet, host, genesis } = memory.journal;
  return { fleet, host, genesis, key: senses.signer.key };
}
