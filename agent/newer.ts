import type { Aim } from '../shared/cycle/aim.ts';
import { isOfTheWorld, ok, type Result } from '../shared/failure.ts';
import type { ObjectId } from '../shared/objects/object.ts';
import type { Context } from './context.ts';
import { poll } from './stages/poll.ts';
import { verify } from './stages/verify.ts';

/** What asks for a poll: the interval, a change of the remote, a signal. */
export interface Wakes {
  /** Resolves with the next request, or when the signal is aborted. */
  next(signal: AbortSignal): Promise<void>;
  /** Asks for a poll as soon as the running cycle has ended. */
  request(): void;
}

/**
 * Does a revision's build unless a newer one arrives: an authentic, valid newer revision ends the build and takes
 * its place. A head that is neither does not: a server must not be able to stop builds by showing rubbish.
 */
export async function unlessNewer<Value>(
  context: Context,
  wakes: Wakes | undefined,
  aim: Aim,
  work: (context: Context) => Promise<Result<Value>>,
): Promise<Result<Value> | 'superseded'> {
  if (wakes === undefined) return work(context);
  const ending = new AbortController();
  const signal = AbortSignal.any([context.signal, ending.signal]);
  const inner: Context = { ...context, signal };
  const superseding = watch(inner, wakes, aim).then((by) => {
    if (by === undefined) return false;
    const { host } = context.memory.journal;
    context.senses.log({ kind: 'superseded', host, revision: aim.revision, by });
    ending.abort();
    return true;
  });
  const working = work(inner).finally(() => {
    ending.abort();
  });
  // Both to their end, also when one throws: neither may run on into the next cycle.
  await Promise.allSettled([working, superseding]);
  const built = await working;
  return (await superseding) ? 'superseded' : built;
}

/**
 * Before something that cannot be taken back: whether the server has a newer revision by now. That one decides (P1); it may
 * withdraw what this one declares.
 */
export async function hasNewer(context: Context, { revision }: Aim): Promise<Result<boolean>> {
  const heads = await poll(context);
  if (!heads.ok) return heads;
  const by = await replacing(context, heads.value.revision, revision);
  if (!by.ok || by.value === null) return by.ok ? ok(false) : by;
  context.senses.log({ kind: 'superseded', host: context.memory.journal.host, revision, by: by.value });
  return ok(true);
}

/**
 * The head, where it takes the place of a revision: what is authentic and invalid is for the next cycle to refuse (P1). A failure
 * where nobody can say just now, for it may be the one (P4).
 */
async function replacing(
  context: Context,
  head: ObjectId,
  revision: ObjectId | null,
): Promise<Result<ObjectId | null>> {
  if (head === revision) return ok(null);
  const verified = await verify(context, head);
  if (verified.ok || context.memory.journal.accepted === head) return ok(head);
  return isOfTheWorld(verified.failure.kind) ? verified : ok(null);
}

/**
 * The first newer revision that is authentic and valid; `undefined` when the signal comes first. A trial ends with
 * whatever happens to its branch: to stop a trial is all that the server can do with it.
 */
async function watch(context: Context, wakes: Wakes, aim: Aim): Promise<ObjectId | undefined> {
  const main = aim.isTrial ? context.memory.journal.accepted : aim.revision;
  let isOwed = false;
  for (;;) {
    await wakes.next(context.signal);
    if (context.signal.aborted) break;
    const heads = await poll(context);
    if (heads.ok && aim.isTrial && heads.value.testing !== aim.revision) {
      return heads.value.testing ?? heads.value.revision;
    }
    if (heads.ok && heads.value.revision === main) continue;
    const by = heads.ok ? await replacing(context, heads.value.revision, main) : heads;
    if (by.ok && by.value !== null) return by.value;
    isOwed = true;
  }
  // Its request was taken here, so the next cycle is to look: at a head to refuse, or because the end of the build
  // cut this look short.
  if (isOwed) wakes.request();
  return undefined;
}
