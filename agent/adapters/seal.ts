import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, lstat, readlink, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { BuiltSystem } from '../../shared/cycle/journal.ts';
import { type Failure, fail, ok, type Result } from '../../shared/failure.ts';
import { oneLine } from '../../shared/printable.ts';
import { errorCode, fileFailure } from './file-failure.ts';
import { digestOf, syncTree } from './system-tree.ts';

/** The program that activates a system. */
const activation = 'bin/switch-to-configuration';

/**
 * Checks that a built system can be activated, brings it to disk and says what it is. Syncing and reading
 * go on at once: what is read is the page cache either way.
 * @param searchPath where `sync` is looked for
 */
export async function sealSystem(
  system: string,
  searchPath: string,
): Promise<Result<Pick<BuiltSystem, 'path' | 'digest'>>> {
  try {
    const flaw = await flawOf(system);
    if (flaw !== null) return fail(unfit(flaw, join(system, activation)));
    const [flushed, digest] = await both(flush(system, searchPath), digestOf(system));
    if (!flushed.ok) return flushed;
    return digest.ok
      ? ok({ path: system, digest: digest.value })
      : fail(unfit(digest.failure.cause, digest.failure.where));
  } catch (error) {
    if (isOfTheBuild(errorCode(error))) return fail(unfit(oneLine(String(error)), system));
    return fail(fileFailure(error, 'bring the built system to disk', system));
  }
}

/** Waits for both to end, also when one throws: nothing may go on behind a caller's back. */
async function both<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return [await a, await b];
}

/** What keeps the program from being run, as a sentence; `null` when nothing does. */
async function flawOf(system: string): Promise<string | null> {
  const program = join(system, activation);
  const resolved = await realpath(program).catch(() => null);
  if (resolved === null) return `there is no ${activation}, or it is a link that leads nowhere`;
  if (!(await mayBeAt(program, resolved, await realpath(system))))
    return `${activation} leads out of the system`;
  if (!(await stat(resolved)).isFile()) return `${activation} is not a file`;
  const executable = await access(resolved, constants.X_OK).then(
    () => true,
    () => false,
  );
  return executable ? null : `${activation} is not executable`;
}

/** Inside the system; or where an absolute link leads, as into a store of packages. */
async function mayBeAt(program: string, resolved: string, system: string): Promise<boolean> {
  if (resolved.startsWith(`${system}/`)) return true;
  return (await lstat(program)).isSymbolicLink() && isAbsolute(await readlink(program));
}

/** Errors that only a build can bring about: unreadable entries, too deep a tree, entries that vanish. */
function isOfTheBuild(code: string | null): boolean {
  return code === 'EACCES' || code === 'ENAMETOOLONG' || code === 'ELOOP' || code === 'ENOENT';
}

function unfit(cause: string, where: string): Failure {
  return {
    kind: 'build-failed',
    cause: `the build yielded no system that can be activated: ${cause}`,
    where: oneLine(where),
    remedy:
      'mend the build program: below $out it must leave only files, directories and links that it can read, ' +
      `among them an executable ${activation}; then push`,
  };
}

/** Milliseconds for `sync`: other programs' unwritten data may go to a slow disk with ours. */
const syncTimeout = 600_000;

/**
 * Brings a system, and all else on its file system, to disk with one syncfs(2), for which Node has no call: `sync -f`.
 * Falls back to each file in turn where there is no such program or no such option, but not when the disk reports an error:
 * the kernel says that only once. Throws the system's error.
 */
export async function flush(system: string, searchPath: string): Promise<Result<void>> {
  const failed = await runSync(system, searchPath);
  if (failed === null) return ok(undefined);
  if (!failed.missing && !/option|usage/i.test(failed.text)) return fail(notOnDisk(failed.text, system));
  await syncTree(system);
  return ok(undefined);
}

function notOnDisk(text: string, where: string): Failure {
  return {
    kind: /no space|quota/i.test(text) ? 'no-space' : 'unexpected',
    cause: `what was built could not be brought to disk: ${oneLine(text)}`,
    where,
    remedy: 'look at that file system (df, dmesg); the agent tries again by itself',
  };
}

function runSync(system: string, path: string): Promise<{ missing: boolean; text: string } | null> {
  const options = { env: { PATH: path, LC_ALL: 'C' }, timeout: syncTimeout, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve) => {
    execFile('sync', ['-f', system], options, (error, _stdout, stderr) => {
      const text = stderr === '' ? (error?.message ?? '') : stderr;
      resolve(error === null ? null : { missing: error.code === 'ENOENT', text });
    });
  });
}
