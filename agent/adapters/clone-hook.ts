import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fail, ok, type Result } from '../../shared/failure.ts';
import type { InstalledHook } from '../clone-ports.ts';
import { gitFailure } from './clone-git.ts';
import type { OpenedClone } from './clone.ts';

/** How every hook of ours begins: others are never written over. */
const ourMark = '#!/bin/sh\n# Installed by autark';

/** Where `core.hooksPath` is set, hooks are shared with other clones, or kept in the tree: they are not ours to write. */
export async function installHook(
  { git, clone, config }: OpenedClone,
  name: string,
  script: string,
): Promise<Result<InstalledHook>> {
  const found = await git(['rev-parse', '--git-path', `hooks/${name}`]);
  if (!found.ok) return fail(gitFailure('find its hooks', found.failure, clone.root));
  const path = resolve(clone.root, found.value.toString('utf8').trim());
  const before = await readFile(path, 'utf8').catch(() => null);
  const isForeign = before !== null && before !== '' && !before.startsWith(ourMark);
  if (before !== script && (config.has('core.hookspath') || isForeign)) return ok({ path, isOurs: false });
  try {
    await mkdir(dirname(path), { recursive: true });
    // git runs no hook that is not executable, and half of one is nobody's: so all of it comes at once.
    const made = `${path}.autark`;
    await writeFile(made, script);
    await chmod(made, 0o755);
    await rename(made, path);
    return ok({ path, isOurs: true });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return fail(gitFailure(`have its hook ${name}`, said, path));
  }
}
