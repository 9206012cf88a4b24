import { ok, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { Effects } from '../seam.ts';

/** The waiting records as objects of the Git directory, which may be new and empty. */
export async function storeOutbox({ git, outbox }: Pick<Effects, 'git' | 'outbox'>): Promise<Result<void>> {
  for (const entry of await outbox.list()) {
    const pack = await outbox.pack(entry);
    const stored = pack.ok ? await git.store(pack.value) : pack;
    if (!stored.ok) return stored;
  }
  return ok(undefined);
}

/** One record that may still wait, as objects of the Git directory: a pack has all that its record has. */
export async function storeWaiting(
  { git, outbox }: Pick<Effects, 'git' | 'outbox'>,
  record: ObjectId,
): Promise<Result<void>> {
  // Not read first to see whether it is there: what cannot be read makes a Git directory a damaged one.
  const entry = (await outbox.list()).find(({ id }) => id === record);
  const pack = entry === undefined ? undefined : await outbox.pack(entry);
  if (pack === undefined) return ok(undefined);
  return pack.ok ? git.store(pack.value) : pack;
}
