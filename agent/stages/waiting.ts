import { ok, type Result } from '../../shared/failure.ts';
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
