import { deliver, type Seen } from '../../shared/record/delivery.ts';
import { signatureProblem } from '../../shared/record/tip.ts';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { parseCommit, type Commit } from '../../shared/objects/commit.ts';
import { parseStatus } from '../../shared/record/parse-status.ts';
import { enrolKeyId, parsePublicKey } from '../../shared/trust/ssh-key.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { Context } from '../context.ts';
import type { RefUpdate, StateTip } from '../ports.ts';
import { readCommit, readText } from './objects.ts';

/** Whether records wait for the server. */
export function hasRecords({ memory }: Context): boolean {
  const { approved, tip, delivered, genesis } = memory.journal;
  return approved && tip !== genesis && tip !== delivered;
}

/**
 * Brings the outbox to the server, in order, by one compare-and-swap of the branch to the newest record: the
 * chain carries the others. An entry leaves the outbox only once the server's tip has been read back (S9).
 */
export async function deliverRecords(context: Context): Promise<Result<void>> {
  if (!hasRecords(context)) return ok(undefined);
  const { memory, signal } = context;
  const { git } = context.effects('record');
  const bounds = { timeout: memory.journal.pace.fetch, signal };
  const seen = await git.fetchState(bounds);
  if (!seen.ok) return seen;
  const stored = await storeOutbox(context);
  if (!stored.ok) return stored;
  const { host, tip, delivered } = memory.journal;
  const found = await look(context, seen.value);
  if (!found.ok) return found;
  const decision = deliver({ host, tip, delivered }, found.value);
  if (decision.do === 'stop') return fail(decision.failure);
  if (decision.do === 'push') {
    if (decision.report !== undefined) {
      context.senses.log({ kind: 'warning', host, message: decision.report });
    }
    const lost = await lostRecords(context, decision.expected);
    if (lost !== undefined) return fail(lost);
    const update: RefUpdate = { ref: `refs/heads/state/${host}`, to: tip, expected: decision.expected };
    const pushed = await git.push([update], bounds);
    if (!pushed.ok) return pushed;
  }
  return readBack(context);
}

/**
 * Records that were delivered live on the server and in the disposable Git directory. Where both lost them, the
 * chain cannot be pushed again from here.
 */
async function lostRecords(context: Context, expected: ObjectId | null): Promise<Failure | undefined> {
  const { outbox, git } = context.effects('record');
  const [oldest] = await outbox.list();
  if (oldest === undefined || oldest.seq === 0) return undefined;
  const commit = await readCommit(git, oldest.id);
  const [parent] = commit.ok ? commit.value.commit.parents : [];
  if (parent === undefined || (await git.read(parent)).ok) return undefined;
  const branch = `state/${context.memory.journal.host}`;
  const lease = expected === null ? '' : `--force-with-lease=refs/heads/${branch}:${expected} `;
  const push = `git push ${lease}origin refs/remotes/origin/${branch}:refs/heads/${branch}`;
  return {
    kind: 'push-refused',
    cause: `the server no longer has all of ${branch}, nor has this machine what came before record ${oldest.seq}`,
    where: parent,
    remedy: `in a clone that still has it, without fetching first: ${push}`,
  };
}

/** The waiting records as objects of the Git directory, which may be new and empty. */
async function storeOutbox(context: Context): Promise<Result<void>> {
  const { outbox, git } = context.effects('record');
  for (const entry of await outbox.list()) {
    const pack = await outbox.pack(entry);
    const stored = pack.ok ? await git.store(pack.value) : pack;
    if (!stored.ok) return stored;
  }
  return ok(undefined);
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

/** Where a machine's genesis waits for approval, or `undefined` for a key that cannot be read. */
export function enrolRef(host: string, key: string): string | undefined {
  const parsed = parsePublicKey(key);
  return parsed.ok ? `refs/heads/enroll/${host}/${enrolKeyId(parsed.value.blob)}` : undefined;
}

async function readBack(context: Context): Promise<Result<void>> {
  const { memory, signal, senses } = context;
  const { git, outbox } = context.effects('record');
  const { tip, seq, host, pace, delivered } = memory.journal;
  const back = await git.fetchState({ timeout: pace.fetch, signal });
  if (!back.ok) return back;
  if (back.value?.id !== tip) {
    return fail({
      kind: 'push-refused',
      cause: `the server took the push of state/${host} and then showed another tip`,
      where: back.value?.id ?? 'no branch',
      remedy: 'the records are kept and pushed again; look at the hooks and mirrors of the server',
    });
  }
  for (const entry of await outbox.list()) if (entry.seq <= seq) await outbox.drop(entry);
  if (delivered === null) await takeBackEnrolment(context);
  // Last: cut off before it, all of this is done again; after it, nobody would look any more.
  const noted = await memory.write({ delivered: tip });
  if (noted.ok) senses.log({ kind: 'delivered', host, seq });
  return noted;
}

/** What the server's tip is to this host. Bytes that git refused can only be somebody else's. */
async function look(context: Context, tip: StateTip | null): Promise<Result<Seen | null>> {
  if (tip === null) return ok(null);
  const { id } = tip;
  const { journal } = context.memory;
  if (id === journal.tip || id === journal.delivered) return ok({ id, isOurs: true, signedByUs: true });
  if (tip.isRefused) return ok({ id, isOurs: false, signedByUs: false });
  const { git } = context.effects('record');
  const read = await git.read(id);
  if (!read.ok) return read;
  const commit = parseCommit(read.value.bytes);
  const key = { key: context.senses.signer.key };
  const signedByUs =
    commit.ok && signatureProblem({ commit: commit.value, bytes: read.value.bytes }, key) === undefined;
  if (!signedByUs) return ok({ id, isOurs: false, signedByUs });
  return ok({ id, signedByUs, ...(await placeOf(context, id, commit.value)) });
}

/** Where in the host's own history a commit is: walks it, newest first, no further than needed. */
async function placeOf(
  context: Context,
  wanted: ObjectId,
  commit: Commit,
): Promise<Pick<Seen, 'isOurs' | 'isOlder'>> {
  const { git } = context.effects('record');
  const { tip, delivered } = context.memory.journal;
  let isOlder = false;
  let next: ObjectId | undefined = tip;
  while (next !== undefined && next !== wanted) {
    isOlder ||= next === delivered;
    const read = await readCommit(git, next);
    // With a new Git directory the older records are not here; then the record itself says whose it is.
    if (!read.ok)
      return (await isFromThisLife(context, commit)) ? { isOurs: true, isOlder: true } : { isOurs: false };
    next = read.value.commit.parents[0];
  }
  return { isOurs: next === wanted, isOlder };
}

/** Whether a record that our key signed is one that this installation made earlier. */
async function isFromThisLife(context: Context, { tree }: Commit): Promise<boolean> {
  const text = await readText(context.effects('record').git, tree, 'status.json');
  const status = text.ok && text.value !== null ? parseStatus(text.value) : undefined;
  const { installation, seq } = context.memory.journal;
  return status?.ok === true && status.value.installation === installation && status.value.seq <= seq;
}
