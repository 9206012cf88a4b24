import { lstat, readlink, rename, rmdir, symlink, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isOurs, type AtPath } from '../../../shared/secrets/place-plan.ts';
import { makeFolder } from '../durable.ts';
import { errorCode } from '../file-failure.ts';
import { askSystemd } from '../systemd.ts';
import type { Layout } from './layout.ts';

export interface LinksOptions {
  readonly layout: Layout;
  readonly env: Readonly<Record<string, string>>;
  readonly hasSystemd: boolean;
  readonly before: (effect: string) => void;
}

/** A link to make, or, without a target, to remove. */
export interface Step {
  readonly path: string;
  readonly target: string | null;
  /** Empty folders of ours that give way to it, the deepest first; one that is not empty stays, and the link is not made. */
  readonly folders: readonly string[];
}

/** Or the sentence that says why it cannot be told: then nothing is done there, and others are not kept from theirs. */
export async function lookAt(path: string): Promise<AtPath | string> {
  try {
    if (!(await lstat(path)).isSymbolicLink()) return { what: 'other' };
    return { what: 'link', target: await readlink(path) };
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return { what: 'nothing' };
    // Something above it is not a folder: making the link says so.
    if (code === 'ENOTDIR') return { what: 'nothing' };
    if (code === null) throw error;
    return `${path} cannot be looked at: ${code}`;
  }
}

/**
 * By path, the sentences for those that failed. Where the agent's own unit sees /etc as read-only, a unit outside of it
 * does the same.
 */
export async function perform(
  { layout, env, hasSystemd, before }: LinksOptions,
  steps: readonly Step[],
): Promise<ReadonlyMap<string, string>> {
  const failed = new Map<string, string>();
  for (const step of steps) {
    before(`the link ${step.path}`);
    const problem = await performOne(layout, step);
    if (problem === null) continue;
    // Of a folder that cannot be made for that reason, Node says that it is not there.
    const isReadOnly = problem === 'EROFS' || problem === 'ENOENT';
    const isOutside = isReadOnly && hasSystemd && layout.root === '/';
    const said = isOutside ? await performOutside(layout, step, env) : problem;
    if (said !== null) failed.set(step.path, `${step.path} cannot be ${verbOf(step)}: ${said}`);
  }
  return failed;
}

function verbOf({ target }: Step): string {
  return target === null ? 'removed' : 'linked to its secret';
}

async function performOne({ link }: Layout, { path, target, folders }: Step): Promise<string | null> {
  const draft = draftOf(path);
  try {
    if (target === null) {
      await unlink(path);
      return null;
    }
    for (const folder of folders) await removeEmpty(folder);
    await makeParents(dirname(path));
    if (!(await isThere(path))) {
      await symlink(target, path);
      return null;
    }
    const left = await lookAt(draft);
    if (typeof left !== 'string' && isOurs(left, link)) await unlink(draft);
    if (typeof left !== 'string' && !isOurs(left, link) && left.what !== 'nothing')
      return `${draft} is in the way, and stays; move it away`;
    await symlink(target, draft);
    await rename(draft, path);
    return null;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOTEMPTY') return 'a folder is there, and has something in it; move it away';
    return code ?? (error instanceof Error ? error.message : String(error));
  }
}

/** Always the same: what a crash leaves is replaced by the next attempt, and somebody else's file of that name never. */
function draftOf(path: string): string {
  return `${path}.autark-new`;
}

async function removeEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

async function makeParents(folder: string): Promise<void> {
  // Where the folder is there on a read-only file system, mkdir(2) need not say so.
  if (await isThere(folder)) return;
  await makeFolder(folder, 0o755);
}

/** Whether anything is there, also a link that leads nowhere. */
export async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

const outside = `set -eu
umask 022
place=$1 path=$2 target=$3
shift 3
if [ -z "$target" ]; then exec rm -f -- "$path"; fi
for folder; do if [ -d "$folder" ]; then rmdir -- "$folder"; fi; done
mkdir -p -- "$(dirname -- "$path")"
if [ ! -e "$path" ] && [ ! -L "$path" ]; then exec ln -sT -- "$target" "$path"; fi
draft=$path.autark-new
case $(readlink -- "$draft" || :) in "$place"/*) rm -f -- "$draft" ;; esac
ln -sT -- "$target" "$draft"
mv -T -- "$draft" "$path"`;

async function performOutside(
  { link }: Layout,
  { path, target, folders }: Step,
  env: LinksOptions['env'],
): Promise<string | null> {
  const service = ['--quiet', '--wait', '--pipe', '--collect', '--expand-environment=no'];
  const call = [...service, `--setenv=PATH=${env['PATH'] ?? ''}`, '--', '/bin/sh', '-c', outside];
  const ran = await askSystemd('systemd-run', [...call, 'link', link, path, target ?? '', ...folders], env);
  return ran.ok ? null : ran.failure;
}
