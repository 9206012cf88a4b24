import { randomBytes } from 'node:crypto';
import { ok, type Result } from '../../../shared/failure.ts';
import { readIfThere, writeDurably } from '../durable.ts';

/**
 * With what a host makes digests of its values, which everybody may read: random, so that nobody else can try values, and
 * the same for the life of this state folder, also under another host key. One that is damaged is made anew: all values
 * count as changed then.
 */
export async function digestKeyIn(path: string): Promise<Result<Uint8Array>> {
  const read = await readIfThere(path);
  if (!read.ok) return read;
  if (read.value?.length === 32) return ok(read.value);
  const made = randomBytes(32);
  const written = await writeDurably(path, made, 0o600);
  return written.ok ? ok(made) : written;
}
