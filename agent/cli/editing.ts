import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Clone, CloneEditor } from '../clone-ports.ts';

/** Fetches, and refuses when the remote's branch has commits that this clone lacks. */
export async function upToDate({ clone }: CloneEditor): Promise<Result<void>> {
  const fetched = await clone.fetch();
  if (!fetched.ok) return fetched;
  const refs = await clone.remoteRefs();
  if (!refs.ok) return refs;
  const theirs = refs.value.find((ref) => ref.name === clone.remote?.branch)?.id;
  if (theirs === undefined || theirs === clone.head) return ok(undefined);
  const missing = clone.head === null ? null : await clone.distance(clone.head, theirs);
  return missing === 0 ? ok(undefined) : fail(outdated(clone, missing));
}

/** Pushes when asked to; a commit that could not be pushed is there all the same, and the failure says so. */
export async function pushed(editor: CloneEditor, branch: string, isWanted: boolean): Promise<Result<void>> {
  return isWanted ? editor.push(branch) : ok(undefined);
}

/** Refuses when a file that is to be written has uncommitted changes. */
export async function clean(editor: CloneEditor, paths: readonly string[]): Promise<Result<void>> {
  const loose = await editor.uncommitted(paths);
  if (!loose.ok) return loose;
  const [first] = loose.value;
  return first === undefined ? ok(undefined) : fail(dirty(first, editor.clone.root));
}

function dirty(file: string, root: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${file} has changes that are not committed`,
    where: `${root}/${file}`,
    remedy: `commit them, or undo them with \`git restore ${file}\``,
  };
}

function outdated({ branch, remote }: Clone, missing: number | null): Failure {
  const name = `${remote?.name ?? ''}/${remote?.branch ?? ''}`;
  const count = missing === null ? 'commits' : `${missing} ${missing === 1 ? 'commit' : 'commits'}`;
  return {
    kind: 'unexpected',
    cause: `${name} has ${count} that ${branch} lacks`,
    remedy: 'run `git pull`, and then this again',
  };
}
