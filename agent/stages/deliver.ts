import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { Context } from '../context.ts';
import type { Git } from '../git-ports.ts';
import type { Bounds } from '../ports.ts';
import { readCommit } from '../objects/read.ts';
import { enrolRef } from './enrolment.ts';
import { sightOf } from './own-branch.ts';
import { storeOutbox } from './waiting.ts';
import { divergence, look } from './own-state.ts';

/** Whether records wait for the server, or a person has decided that this machine goes on. */
export function hasRecords(context: Context): boolean {
  const { approved, tip, delivered, genesis, diverged } = context.memory.journal;
  if (!approved || divergence(context) !== undefined) return false;
  return (tip !== genesis && tip !== delivered) || diverged !== null;
}

/**
 * Brings the outbox to the server, in order, by one compare-and-swap of the branch to the newest record: the
 * chain carries the others. An entry leaves the outbox only once the server's tip has been read back (S9). What is to
 * be gone on from must be settled before, by `look`.
 */
export async function deliverRecords(context: Context): Promise<Result<void>> {
  const stored = await storeOutbox(context.effects('record'));
  if (!stored.ok) return stored;
  const before = context.sight.tip;
  const pushed = await push(context);
  if (pushed.ok || pushed.failure.kind !== 'push-refused') return pushed;
  // Perhaps somebody else was quicker: what was seen before is out of date, and only then another try makes sense.
  delete context.sight.tip;
  const seen = await sightOf(context, boundsOf(context));
  return seen.ok && seen.value?.id !== before?.id ? push(context) : pushed;
}

async function push(context: Context): Promise<Result<void>> {
  const decision = await look(context);
  if (!decision.ok) return decision;
  switch (decision.value.do) {
    case 'nothing':
      return settleDelivery(context);
    case 'stop': {
      const failure = divergence(context);
      return failure === undefined ? ok(undefined) : fail(failure);
    }
    case 'adopt':
      // The records that follow are made by the next cycle, and pushed then.
      return ok(undefined);
    case 'push': {
      const { expected } = decision.value;
      const lost = await lostRecords(context, expected);
      if (lost !== undefined) return fail(lost);
      const { host, tip: to } = context.memory.journal;
      const { git } = context.effects('record');
      const pushed = await git.push([{ ref: `refs/heads/state/${host}`, to, expected }], boundsOf(context));
      return pushed.ok ? readBack(context) : pushed;
    }
  }
}

function boundsOf({ memory, signal }: Context): Bounds {
  return { timeout: memory.journal.pace.fetch, signal };
}

/**
 * Records that were delivered live on the server and in the disposable Git directory. Where both lost them, the
 * chain cannot be pushed again from here.
 */
async function lostRecords(context: Context, expected: ObjectId | null): Promise<Failure | undefined> {
  const { outbox, git } = context.effects('record');
  const { tip, seq, replaces, successor } = context.memory.journal;
  const [oldest] = (await outbox.list()).filter(({ id }) => id !== successor?.genesis);
  const commit = oldest === undefined ? undefined : await readCommit(git, oldest.id);
  const [parent] = commit?.ok === true ? commit.value.commit.parents : [];
  // With an empty outbox, the newest record itself is all there is to push.
  const below = oldest === undefined ? tip : parent;
  const needed =
    (await missing(git, below)) ?? (oldest?.seq === 0 ? await missing(git, replaces) : undefined);
  if (needed === undefined) return undefined;
  const branch = `state/${context.memory.journal.host}`;
  const lease = expected === null ? '' : `--force-with-lease=refs/heads/${branch}:${expected} `;
  const push = `git push ${lease}origin refs/remotes/origin/${branch}:refs/heads/${branch}`;
  return {
    kind: 'push-refused',
    cause: `the server no longer has all of ${branch}, nor has this machine what came before record ${oldest?.seq ?? seq + 1}`,
    where: needed,
    remedy: `in a clone that still has it, without fetching first: ${push}`,
  };
}

/** One that is needed and cannot be read. */
async function missing(git: Git, needed: ObjectId | null | undefined): Promise<ObjectId | undefined> {
  if (needed === null || needed === undefined) return undefined;
  return (await git.read(needed)).ok ? undefined : needed;
}

/**
 * The genesis no longer waits for approval once the state branch holds it. Tidiness only: a server that refuses
 * changes nothing.
 */
async function takeBackEnrolment({ memory, senses, effects, signal }: Context): Promise<void> {
  const { host, genesis, pace } = memory.journal;
  const ref = enrolRef(host, senses.signer.key);
  if (ref === undefined) return;
  await effects('record').git.push([{ ref, to: null, expected: genesis }], { timeout: pace.fetch, signal });
}

async function readBack(context: Context): Promise<Result<void>> {
  delete context.sight.tip;
  const back = await sightOf(context, boundsOf(context));
  if (!back.ok) return back;
  const { tip, host } = context.memory.journal;
  if (back.value?.id === tip) return settleDelivery(context);
  return fail({
    kind: 'push-refused',
    cause: `the server took the push of state/${host} and then showed another tip`,
    where: back.value?.id ?? 'no branch',
    remedy: 'the records are kept and pushed again; look at the hooks and mirrors of the server',
  });
}

/** The server has shown the newest record: it has them all. */
async function settleDelivery(context: Context): Promise<Result<void>> {
  const { memory, senses } = context;
  const { outbox } = context.effects('record');
  const { tip, seq, host, delivered, successor } = memory.journal;
  for (const entry of await outbox.list()) {
    if (entry.seq <= seq && entry.id !== successor?.genesis) await outbox.drop(entry);
  }
  if (delivered === null) await takeBackEnrolment(context);
  // Last: cut off before it, all of this is done again; after it, nobody would look any more.
  const noted = await memory.write({ delivered: tip, diverged: null });
  if (noted.ok) senses.log({ kind: 'delivered', host, seq });
  return noted;
}
