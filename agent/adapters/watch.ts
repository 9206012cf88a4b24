import { lstatSync } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { watch as chokidarWatch } from 'chokidar';
import { localPath } from './git/remote.ts';

/** Milliseconds to wait until a watch sees changes; after that it may or may not. */
const patience = 5000;

/** Told at most once for each watch, in a clause: what is wrong with it. The interval has to do then. */
export type OnTrouble = (message: string) => void;

/** Ends a watch. Not to be awaited within `onChange` itself. */
export interface Watch {
  close(): Promise<void>;
}

/**
 * Calls `onChange` soon after the configuration branch, a branch for testing or `packed-refs` of a repository on
 * this machine changed; also several times for one push. Other hosts' pushes wake nobody. `null` when the
 * remote is elsewhere or not (yet) a repository: the interval has to do.
 */
export async function watchRemote(
  remote: string,
  branch: string,
  onChange: () => void,
  onTrouble?: OnTrouble,
): Promise<Watch | null> {
  const path = localPath(remote);
  const root = path === null ? null : await commonDirectory(resolve(path));
  if (root === null) return null;
  const heads = ['refs', 'heads'];
  // Where a branch lives: its own folder, when its name has slashes.
  const folders = [[], heads, [...heads, 'testing'], [...heads, ...branch.split('/').slice(0, -1)]];
  const inside = (parts: readonly string[]): boolean => folders.some((folder) => isPrefix(parts, folder));
  const isFile = (parts: readonly string[]): boolean =>
    parts.join('/') === 'packed-refs' ||
    (parts.length > 2 &&
      folders.some((folder) => folder.length === parts.length - 1 && isPrefix(folder, parts)));
  const depth = Math.max(...folders.map((folder) => folder.length));
  const concerns: Concerns = {
    folder: inside,
    file: (parts) => isFile(parts) && !inside(parts) && !isAnothersRef(parts) && !isLock(parts),
  };
  return watchBelow(root, depth, concerns, { onChange, onTrouble });
}

/** Folders of refs that hosts write: their coming and going is none of our business. */
function isAnothersRef([, , name]: readonly string[]): boolean {
  return name === 'state' || name === 'enroll';
}

function isLock(parts: readonly string[]): boolean {
  return parts.at(-1)?.endsWith('.lock') === true;
}

/** Calls `onChange` when a file is written, replaced by a rename, made or removed; its folder must be there. */
export async function watchFile(path: string, onChange: () => void, onTrouble?: OnTrouble): Promise<Watch> {
  const name = basename(path);
  const folder = await realpath(dirname(resolve(path)));
  const concerns: Concerns = {
    folder: (parts) => parts.length === 0,
    file: (parts) => parts.length === 1 && parts[0] === name,
  };
  return watchBelow(folder, 0, concerns, { onChange, onTrouble });
}

/**
 * The same for a link, of which nothing is followed; `null` when its folder is not (yet) there: the interval has to do.
 */
export async function watchLink(
  path: string,
  onChange: () => void,
  onTrouble?: OnTrouble,
): Promise<Watch | null> {
  return (await isFolder(dirname(path))) ? watchFile(path, onChange, onTrouble) : null;
}

/** What concerns us below a folder; paths in parts, relative to it. */
interface Concerns {
  readonly folder: (parts: readonly string[]) => boolean;
  readonly file: (parts: readonly string[]) => boolean;
}

interface Callbacks {
  readonly onChange: () => void;
  readonly onTrouble: OnTrouble | undefined;
}

/**
 * One chokidar on one folder, which sees only what concerns us. The whole line of folders is watched, so that
 * those which come later are seen. Events come from the kernel, at once: no polling and no waiting for writes to
 * settle. Resolves when changes from now on are seen, or after 5 s.
 */
async function watchBelow(
  root: string,
  depth: number,
  concerns: Concerns,
  { onChange, onTrouble }: Callbacks,
): Promise<Watch> {
  const partsOf = (path: string): string[] => (path === root ? [] : path.slice(root.length + 1).split(sep));
  const hasChanged = rememberFiles();
  const judge = (path: string): void => {
    if (concerns.file(partsOf(path)) && hasChanged(path)) onChange();
  };
  const watcher = chokidarWatch(root, {
    depth,
    ignoreInitial: true,
    usePolling: false,
    awaitWriteFinish: false,
    atomic: false,
    followSymlinks: false,
    ignored: (path, stats) => {
      const parts = partsOf(path);
      // Before it was looked at, an entry may be either.
      return !concerns.folder(parts) && (stats?.isDirectory() === true || !concerns.file(parts));
    },
  });
  watcher.on('add', judge).on('change', judge).on('unlink', judge);
  // chokidar drops a change that follows another within 50 ms; the kernel's own events tell of each.
  watcher.on('raw', (_event, name, details) => {
    const watched = watchedPath(details);
    if (watched === null) return;
    judge(watched);
    if (typeof name === 'string') judge(join(watched, name));
  });
  let isTold = false;
  const tell = (message: string): void => {
    if (!isTold) onTrouble?.(message);
    isTold = true;
  };
  // Such as too few inotify watches (inotify(7)), or a folder that vanished while it was read.
  watcher.on('error', (error) => {
    tell(`${root} cannot be watched: ${error instanceof Error ? error.message : String(error)}`);
  });
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      tell(`${root} cannot be watched yet: it was not looked through within ${patience / 1000} s`);
      resolve();
    }, patience);
    watcher.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  return { close: () => watcher.close() };
}

/** The path that an event of fs.watch came from: chokidar types these details as unknown. */
function watchedPath(details: unknown): string | null {
  if (typeof details !== 'object' || details === null || !('watchedPath' in details)) return null;
  return typeof details.watchedPath === 'string' ? details.watchedPath : null;
}

/** Tells the first of several events about one change from those that say nothing new. */
function rememberFiles(): (path: string) => boolean {
  const seen = new Map<string, string>();
  return (path) => {
    const now = look(path);
    if (seen.get(path) === now) return false;
    seen.set(path, now);
    return true;
  };
}

/** Of a link itself: where it leads to is another file's business. */
function look(path: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(' ');
  } catch {
    return 'absent';
  }
}

function isPrefix(short: readonly string[], long: readonly string[]): boolean {
  return short.every((part, index) => long[index] === part);
}

/**
 * Where a repository keeps its refs: tried in git's own order (git-fetch(1)), through a `.git` file and the
 * `commondir` of a linked work tree (gitrepository-layout(5)).
 */
async function commonDirectory(path: string): Promise<string | null> {
  for (const candidate of [join(path, '.git'), path, join(`${path}.git`, '.git'), `${path}.git`]) {
    const pointer = await firstLine(candidate);
    const directory =
      pointer?.startsWith('gitdir: ') === true ? resolve(dirname(candidate), pointer.slice(8)) : candidate;
    const common = await firstLine(join(directory, 'commondir'));
    const root = common === null ? directory : resolve(directory, common);
    if ((await isFolder(join(root, 'objects'))) && (await isFolder(join(root, 'refs'))))
      return realpath(root);
  }
  return null;
}

async function firstLine(path: string): Promise<string | null> {
  return readFile(path, 'utf8').then(
    (text) => text.split('\n')[0] ?? '',
    () => null,
  );
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
