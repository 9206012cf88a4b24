import { lstat, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Generation } from '../../../shared/cycle/journal.ts';
import { parseGeneration } from '../../../shared/cycle/parse-generation.ts';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import { readIfThere } from '../durable.ts';
import { readGenerations } from '../generations.ts';

/**
 * The set of secrets of the current generation; `null` when it has none, and where no generation is current. One that
 * cannot be read is a failure: nothing is taken away because of that (P4).
 * @param system what boots, or a link to it: where that is the system of another generation, for a boot menu offers those
 *   as well, its set is what counts (S14). One that no generation has, or that is not there, changes nothing
 */
export async function secretsOf(state: string, system?: string): Promise<Result<string | null>> {
  const current = await currentGeneration(state);
  const boots = system === undefined ? null : await realpath(system).catch(() => null);
  if (boots !== null && !(current.ok && current.value?.path === boots)) {
    const older = await newestWith(state, boots);
    if (older !== undefined) return ok(older.secrets ?? null);
  }
  return current.ok ? ok(current.value?.secrets ?? null) : current;
}

async function currentGeneration(state: string): Promise<Result<Generation | null>> {
  const current = join(state, 'current');
  const where = join(current, 'generation.json');
  const bytes = await readIfThere(where);
  if (!bytes.ok) return bytes;
  if (bytes.value === null && !(await isThere(current))) return ok(null);
  const generation = bytes.value === null ? null : parseGeneration(Buffer.from(bytes.value).toString('utf8'));
  if (generation !== null) return ok(generation);
  return fail({
    kind: 'secret-unopened',
    cause: 'the generation that is current does not say which secrets it has',
    where,
    remedy: 'let the agent make another one: push any commit',
  });
}

async function newestWith(state: string, system: string): Promise<Generation | undefined> {
  const kept = await readGenerations(join(state, 'generations')).catch(() => []);
  return kept.findLast(({ generation }) => generation?.path === system)?.generation ?? undefined;
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
