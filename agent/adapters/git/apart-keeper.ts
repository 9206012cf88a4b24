import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fail, ok, type Failure } from '../../../shared/failure.ts';
import { oneLine } from '../../../shared/printable.ts';
import { readBeneath } from '../beneath.ts';
import { fileFailure } from '../file-failure.ts';
import type { Account } from '../process/account.ts';
import { runProcess, type Finished } from '../process/run.ts';
import { removeTree } from '../remove-tree.ts';
import { endAllOf } from '../strays.ts';
import { succeeded } from './command.ts';
import { directoryFolders, isInUse } from './directory.ts';
import type { DirectoryFiles, Housekeeper } from './housekeeper.ts';

/** Milliseconds for one of these; removing a large directory takes longest. */
const patience = 300_000;

/** Bytes of a file that is compared; ours are far smaller. */
const longest = 2 ** 20;

/** Writes standard input to the file that is its argument. */
const write = `umask 077; mkdir -p ${directoryFolders.join(' ')} && rm -f "$1.new" && cat >"$1.new" && mv -fT "$1.new" "$1"`;

/** The same leftovers as those of `ownKeeper` (find(1)). */
const sweep = [
  'find . -maxdepth 1 \\( -name "*.lock" -o -name "*.new" \\) -exec rm -rf {} +',
  'find refs -name "*.lock" -exec rm -rf {} +',
  'find objects \\( -name "tmp_*" -o -name "incoming-*" -o -name ".tmp-*" -o -name "*.lock" \\) -prune -exec rm -rf {} +',
].join('; ');

/** Also what nobody may write to. */
const empty = 'find . -type d ! -perm -700 -exec chmod u+rwx {} + 2>/dev/null; find . -mindepth 1 -delete';

/**
 * For Git directories that belong to the user of git: all that happens inside one happens as that user. Root makes and
 * removes only the directory itself, in a folder of its own, and reads without following a link.
 * @param path a `PATH`, where the shell's programs are
 */
export function apartKeeper(account: Account, path: string): Housekeeper {
  const inside = (directory: string, script: string, args: readonly string[] = [], input = '') =>
    runProcess(
      {
        ...{ file: '/bin/sh', args: ['-c', script, 'sh', ...args], cwd: directory, as: account },
        env: { PATH: path, LC_ALL: 'C' },
        input: Buffer.from(input),
        ...{ outputCap: 65_536, stdout: 'tail', leftovers: 'end' },
      },
      { timeout: patience, signal: new AbortController().signal },
    );
  return {
    async prepare(directory, files) {
      try {
        await makeOwned(directory, account);
      } catch (error) {
        return fail(fileFailure(error, 'prepare the Git directory', directory));
      }
      for (const [name, text] of outdated(directory, files)) {
        const ran = await inside(directory, write, [name], text);
        if (!succeeded(ran)) return fail(notPrepared(ran, directory));
      }
      return ok(undefined);
    },
    async sweep(directory) {
      if (ownerOf(directory) === account.uid && !isInUse(directory, account.uid))
        await inside(directory, sweep);
    },
    async remove(directory) {
      const owner = ownerOf(directory);
      if (owner === undefined) return;
      if (owner !== account.uid) {
        await removeTree(directory);
        return;
      }
      await inside(directory, empty);
      // Whoever would put a link in root's way is ended first.
      if (readdirSync(directory).length > 0 && !(await endAllOf(account)))
        throw new Error(stillThere(account));
      await removeTree(directory);
    },
  };
}

/** The files to write: those that differ, all of them while it is no Git directory. */
function outdated(directory: string, files: DirectoryFiles): (readonly [string, string])[] {
  const isWhole = directoryFolders.every((folder) => isFolder(join(directory, folder)));
  return Object.entries(files).filter(
    ([name, text]) => !isWhole || readBeneath(directory, name, longest)?.toString('utf8') !== text,
  );
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** One of anybody else's is replaced: what root's git left there, that user's could not change. */
async function makeOwned(directory: string, { uid, gid }: Account): Promise<void> {
  const found = lstatSync(directory, { throwIfNoEntry: false });
  if (found?.uid === uid && found.isDirectory()) return;
  if (found !== undefined) await removeTree(directory);
  mkdirSync(dirname(directory), { recursive: true });
  for (const folder of [dirname(dirname(directory)), dirname(directory)]) letThrough(folder);
  mkdirSync(directory, { mode: 0o700 });
  chownSync(directory, uid, gid);
}

/** Search permission for all, and no more (path_resolution(7)). */
function letThrough(folder: string): void {
  const { mode } = lstatSync(folder);
  if ((mode & 0o011) !== 0o011) chmodSync(folder, (mode & 0o7777) | 0o011);
}

function ownerOf(directory: string): number | undefined {
  return lstatSync(directory, { throwIfNoEntry: false })?.uid;
}

function stillThere({ uid }: Account): string {
  return `processes of the user of git still run and cannot be ended (ps -u ${uid})`;
}

function notPrepared(ran: Finished, where: string): Failure {
  const said = ran.ending.how === 'unstartable' ? ran.ending.reason : oneLine(ran.tail);
  return {
    kind: /no space|quota/i.test(said) ? 'no-space' : 'unexpected',
    cause: `could not prepare the Git directory as the user of git: ${said}`,
    where,
    remedy: 'look at that file system (df, ls -la); the agent tries again by itself',
  };
}
