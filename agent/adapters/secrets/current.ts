import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseGeneration } from '../../../shared/cycle/parse-generation.ts';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import { readIfThere } from '../durable.ts';

/**
 * The set of secrets of the current generation; `null` when it has none, and where no generation is current. One that
 * cannot be read is a failure: nothing is taken away because of that (P4).
 */
export async function currentSecrets(state: string): Promise<Result<string | null>> {
  const current = join(state, 'current');
  const where = join(current, 'generation.json');
  const bytes = await readIfThere(where);
  if (!bytes.ok) return bytes;
  if (bytes.value === null && !(await isThere(current))) return ok(null);
  const generation = bytes.value === null ? null : parseGeneration(Buffer.from(bytes.value).toString('utf8'));
  if (generation !== null) return ok(generation.secrets ?? null);
  return fail({
    kind: 'secret-unopened',
    cause: 'the generation that is current does not say which secrets it has',
    where,
    remedy: 'let the agent make another one: push any commit',
  });
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
