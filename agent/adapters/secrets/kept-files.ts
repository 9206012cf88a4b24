import { join } from 'node:path';
import { fail, ok, type Failure, type Result } from '../../../shared/failure.ts';
import { parseKept, serialiseKept, type KeptSecret } from '../../../shared/secrets/kept-set.ts';
import { makeFolder, namesIn, readIfThere, removeDurably, writeDurably } from '../durable.ts';
import { fileFailure } from '../file-failure.ts';

/** Sealed, yet root's alone: names, owners and digests are nobody else's business. */
export async function writeKept(
  folder: string,
  id: string,
  secrets: readonly KeptSecret[],
): Promise<Result<void>> {
  try {
    await makeFolder(folder, 0o700);
  } catch (error) {
    return fail(fileFailure(error, 'keep secrets', folder));
  }
  return writeDurably(join(folder, `${id}.json`), Buffer.from(serialiseKept(secrets)), 0o600);
}

export async function readKept(folder: string, id: string): Promise<Result<readonly KeptSecret[]>> {
  const path = join(folder, `${id}.json`);
  const bytes = await readIfThere(path);
  if (!bytes.ok) return bytes;
  const secrets = bytes.value === null ? null : parseKept(Buffer.from(bytes.value).toString('utf8'));
  return secrets === null ? fail(lost(path, bytes.value === null)) : ok(secrets);
}

function lost(where: string, isGone: boolean): Failure {
  return {
    kind: 'secret-unopened',
    cause: `the secrets that this host keeps for a generation are ${isGone ? 'gone' : 'damaged'}`,
    where,
    remedy: 'push any commit: the next generation brings its secrets along',
  };
}

/** The ids of all kept sets. Throws the system's error. */
export async function keptIds(folder: string): Promise<readonly string[]> {
  const names = await namesIn(folder);
  return names.flatMap((name) => /^([0-9a-f]{64})\.json$/.exec(name)?.[1] ?? []);
}

/** Throws the system's error. */
export async function removeKept(folder: string, id: string): Promise<void> {
  await removeDurably(join(folder, `${id}.json`));
}
