import { createHash } from 'node:crypto';
import { lstat, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { AgentFiles } from '../program-ports.ts';
import { makeFolder, namesIn, readIfThere, removeDurably, writeDurably } from './durable.ts';
import { errorCode, fileFailure } from './file-failure.ts';
import { replaceLink } from './generations.ts';

export interface AgentFilesOptions {
  /** `var/lib/autark/agent`, absolute. */
  readonly folder: string;
  /** Where the running program lies, if it is a single file. */
  readonly own: string | null;
}

/**
 * `SHA256.mjs` for each version, the link `current` to one of them, and `installed`, which names FILE in one line. That
 * is written before FILE is made: what is interrupted in between is known, and a FILE that is not a link to `current` is
 * never removed.
 */
export function agentFiles({ folder, own }: AgentFilesOptions): AgentFiles {
  const current = join(folder, 'current');
  const installed = join(folder, 'installed');
  return {
    own: () => (own === null ? Promise.resolve(ok(null)) : readIfThere(own)),
    place: (bytes) => place(folder, bytes),
    setCurrent: (digest) =>
      attempt('make an agent current', current, () => replaceLink(current, `${digest}.mjs`)),
    current: () =>
      attempt('read which agent is current', current, async () => {
        return digestOf((await targetOf(current)) ?? '');
      }),
    async running() {
      // Node follows links to the program that it runs, and /var/lib may be one.
      const place = await realpath(folder).catch(() => null);
      return own !== null && dirname(own) === place ? digestOf(basename(own)) : null;
    },
    has: (digest) => lstatOf(join(folder, `${digest}.mjs`)).then((found) => found?.isFile() === true),
    async prune(keep) {
      const runs = own === null ? [] : [basename(own)];
      const kept = new Set([...keep.map((digest) => `${digest}.mjs`), ...runs, await targetOf(current)]);
      for (const name of await namesIn(folder)) {
        if (digestOf(name) !== null && !kept.has(name)) await removeDurably(join(folder, name));
      }
    },
    async mayLink(file, bytes) {
      const before = await linkedBy(installed);
      if (!before.ok) return before;
      return attempt('look at', file, () => obstacleTo(file, { bytes, current, before: before.value })).then(
        (looked) => (looked.ok && looked.value !== null ? fail(looked.value) : asDone(looked)),
      );
    },
    async link(file) {
      const noted = await writeDurably(installed, Buffer.from(`${file}\n`), 0o644);
      return noted.ok ? attempt('link the agent', file, () => replaceLink(file, current)) : noted;
    },
    linked: () => linkedBy(installed),
    async unlink() {
      const file = await linkedBy(installed);
      if (!file.ok) return file;
      return attempt('unlink the agent', file.value ?? installed, async () => {
        if (file.value !== null && (await targetOf(file.value)) === current) await removeDurably(file.value);
        const isGone = file.value === null || (await lstatOf(file.value)) === null;
        await removeDurably(installed);
        return isGone;
      });
    },
  };
}

/** The version that a name in the folder is for. */
function digestOf(name: string): string | null {
  return /^([0-9a-f]{64})\.mjs$/.exec(name)?.[1] ?? null;
}

/** Written anew unless it is whole: whoever wrote through the link FILE has changed a version. */
async function place(folder: string, bytes: Uint8Array): Promise<Result<string>> {
  const digest = createHash('sha256').update(bytes).digest('hex');
  const file = join(folder, `${digest}.mjs`);
  const made = await attempt('make the folder of agents', folder, () => makeFolder(folder, 0o755));
  if (!made.ok) return made;
  const there = await attempt('look at', file, () => isWhole(file, bytes));
  if (!there.ok) return there;
  const written = there.value ? ok(undefined) : await writeDurably(file, bytes, 0o755);
  return written.ok ? ok(digest) : written;
}

async function isWhole(file: string, bytes: Uint8Array): Promise<boolean> {
  const found = await lstatOf(file);
  return found?.isFile() === true && (found.mode & 0o7777) === 0o755 && (await hasContent(file, bytes));
}

interface Wanted {
  readonly bytes: Uint8Array;
  readonly current: string;
  /** Another FILE, or the same. */
  readonly before: string | null;
}

/** Why FILE cannot be that link; `null` when it can. Throws the system's error. */
async function obstacleTo(file: string, { bytes, current, before }: Wanted): Promise<Failure | null> {
  // `installed` is one line.
  if (file.includes('\n')) return refusal('its name has a line break', file, 'give another name');
  const parent = dirname(file);
  const isFolder = await stat(parent).then((found) => found.isDirectory(), isNone);
  if (!isFolder) return refusal('its folder is not there', parent, 'make that folder, or name another file');
  if (before !== null && before !== file && (await targetOf(before)) === current)
    return refusal(`the agent is installed as ${before} already`, file, uninstallFirst(before));
  const found = await lstatOf(file);
  if (found === null) return null;
  const target = (await targetOf(file)) ?? '';
  if (found.isSymbolicLink() && dirname(resolve(parent, target)) === dirname(current)) return null;
  if (found.isFile() && (await hasContent(file, bytes))) return null;
  return refusal('something else is there', file, 'name another file, or move that one away yourself');
}

function uninstallFirst(before: string): string {
  return `give --install-to ${before}, or remove that link first if you want another`;
}

function refusal(why: string, where: string, remedy: string): Failure {
  return { kind: 'usage', cause: `the agent cannot be installed there: ${why}`, where, remedy };
}

async function linkedBy(installed: string): Promise<Result<string | null>> {
  const read = await readIfThere(installed);
  if (!read.ok || read.value === null) return read.ok ? ok(null) : read;
  return ok(Buffer.from(read.value).toString().trimEnd());
}

async function hasContent(file: string, bytes: Uint8Array): Promise<boolean> {
  return (await readFile(file)).equals(bytes);
}

/** Where a symbolic link leads; `null` for anything else, and for nothing. */
async function targetOf(path: string): Promise<string | null> {
  const found = await lstatOf(path);
  return found?.isSymbolicLink() === true ? readlink(path) : null;
}

function lstatOf(path: string) {
  return lstat(path).catch(isNone);
}

/** Nothing there, as opposed to something that cannot be looked at. */
function isNone(error: unknown): null {
  if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return null;
  throw error;
}

function asDone(looked: Result<unknown>): Result<void> {
  return looked.ok ? ok(undefined) : looked;
}

async function attempt<Value>(
  doing: string,
  where: string,
  work: () => Promise<Value>,
): Promise<Result<Value>> {
  try {
    return ok(await work());
  } catch (error) {
    return fail(fileFailure(error, doing, where));
  }
}
