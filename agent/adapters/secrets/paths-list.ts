import { join } from 'node:path';
import * as v from 'valibot';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import { parseJson } from '../../../shared/json.ts';
import { makeFolder, readIfThere, removeDurably, writeDurably } from '../durable.ts';
import type { Layout } from './layout.ts';

/**
 * `paths.json`: which declared paths may have a link of ours, and which folders were made for one. Durable, and written
 * before either is made: so a link is found again after a power cut, and when what declared it is long gone.
 */
export interface Owned {
  readonly paths: readonly string[];
  readonly folders: readonly string[];
}

const paths = v.array(v.pipe(v.string(), v.startsWith('/')));
const schema = v.object({ format: v.literal(1), paths, folders: v.exactOptional(paths) });

/** None, and none written, is no file: a machine without secrets has nothing to look at when it boots. */
export async function readOwned({ kept }: Layout): Promise<Result<Owned>> {
  const path = join(kept, 'paths.json');
  const bytes = await readIfThere(path);
  if (!bytes.ok) return bytes;
  if (bytes.value === null) return ok({ paths: [], folders: [] });
  const parsed = v.safeParse(schema, parseJson(Buffer.from(bytes.value).toString('utf8')));
  if (parsed.success) return ok({ folders: [], ...parsed.output });
  return fail({
    kind: 'unexpected',
    cause: 'the list of paths that lead to secrets is damaged',
    where: path,
    remedy: 'remove it; links of secrets that are no longer declared have to be removed by hand then',
  });
}

/** Folders are forgotten with the last path. Throws the system's errors, but for those of writing. */
export async function writeOwned({ kept }: Layout, before: Owned, after: Owned): Promise<Result<void>> {
  const [old, now] = [before, after].map(textOf);
  if (old === now) return ok(undefined);
  const path = join(kept, 'paths.json');
  if (now === undefined || after.paths.length === 0) {
    await removeDurably(path);
    return ok(undefined);
  }
  await makeFolder(kept, 0o700);
  return writeDurably(path, Buffer.from(now), 0o600);
}

function textOf({ paths, folders }: Owned): string {
  const [sorted, made] = [paths, folders].map((each) => [...new Set(each)].sort());
  const shown = made?.length === 0 ? {} : { folders: made };
  return `${JSON.stringify({ format: 1, paths: sorted, ...shown }, null, 2)}\n`;
}
