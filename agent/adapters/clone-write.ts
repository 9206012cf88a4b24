import { lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { CloneChange } from '../clone-ports.ts';
import { errorCode, fileFailure } from './file-failure.ts';

type Files = CloneChange['files'];

/**
 * Whether each file can be written below the work tree, asked before anything is committed: git takes nothing that lies behind
 * a link, and what is written through one is elsewhere, in nobody's commit.
 */
export async function placesFor(root: string, files: Files): Promise<Result<void>> {
  for (const { path } of files) {
    for (const place of [...foldersOf(path), path]) {
      const kind = await kindAt(join(root, place));
      if (!kind.ok) return kind;
      if (kind.value === 'nothing') break;
      const wanted = place === path ? 'file' : 'folder';
      if (kind.value !== wanted) return fail(inThePlace(root, place, { is: kind.value, wanted }));
    }
  }
  return ok(undefined);
}

/** `secrets/web1/a.age` lies in `secrets` and in `secrets/web1`. */
function foldersOf(path: string): readonly string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join('/'));
}

type Kind = 'nothing' | 'file' | 'folder' | 'link' | 'something else';

async function kindAt(place: string): Promise<Result<Kind>> {
  try {
    const stats = await lstat(place);
    if (stats.isSymbolicLink()) return ok('link');
    if (stats.isDirectory()) return ok('folder');
    return ok(stats.isFile() ? 'file' : 'something else');
  } catch (error) {
    const isNothing = errorCode(error) === 'ENOENT';
    return isNothing ? ok('nothing') : fail(fileFailure(error, 'look at what is to be written', place));
  }
}

/** Writes whole files, and takes away those without a text. */
export async function writeOut(root: string, files: Files): Promise<Result<void>> {
  try {
    for (const { path, text } of files) {
      const file = join(root, path);
      if (text === null) await rm(file, { force: true });
      else {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text);
      }
    }
    return ok(undefined);
  } catch (error) {
    return fail(unwritten(root, files, error instanceof Error ? error.message : String(error)));
  }
}

function inThePlace(
  root: string,
  place: string,
  { is, wanted }: { readonly is: Kind; readonly wanted: Kind },
): Failure {
  return {
    kind: 'unexpected',
    cause: `nothing was committed: ${place} is a ${wanted} in this repository, and a ${is} in the work tree`,
    where: join(root, place),
    remedy: `move it away (mv ${place} ../), bring back what git status then misses (git restore ${place}), and run this again`,
  };
}

function unwritten(where: string, files: Files, said: string): Failure {
  const paths = files.map(({ path }) => path).join(' ');
  return {
    kind: 'unexpected',
    cause: 'the commit is made, but its files could not be written here',
    where,
    remedy: `once that is mended, run \`git restore --source=HEAD --staged --worktree ${paths}\``,
    detail: said,
  };
}
