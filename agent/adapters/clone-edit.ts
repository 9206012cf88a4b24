import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { errorCode, fileFailure } from './file-failure.ts';
import { isInMemory } from './secrets/memory.ts';
import { processesWith } from './strays.ts';

interface Editing {
  readonly name: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** By this variable an editor is known again, and whatever it has started. */
const mark = 'AUTARK_EDITS';

/** How long an editor that is asked to end may take, and between two looks at it, in milliseconds. */
const patience = 2000;
const pause = 50;

/**
 * The editor has a folder of its own, for what it writes beside the file is as secret. It is removed before anything
 * else is done; when a signal ends the editing, at once, for the next signal may leave no time for that.
 */
export async function editInMemory(value: Uint8Array, editing: Editing): Promise<Result<Uint8Array>> {
  const { name, env, signal } = editing;
  const folder = await folderInMemory([env['XDG_RUNTIME_DIR'], '/dev/shm']);
  if (folder === undefined) return fail(noMemory);
  const file = join(folder, name);
  const remove = () => {
    // Again where the editor writes beside it meanwhile.
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  };
  signal.addEventListener('abort', remove);
  try {
    await writeFile(file, value, { mode: 0o600, flag: 'wx' });
    const how = await runEditor(file, env, signal);
    if (signal.aborted) return fail(notEdited('the editor was interrupted'));
    return how === null ? ok(await readFile(file)) : fail(notEdited(how));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return fail(notEdited('the editor left no file'));
    return fail(fileFailure(error, 'pass the value through a file in memory', file));
  } finally {
    signal.removeEventListener('abort', remove);
    remove();
  }
}

/** A new folder in the first of these places that is in memory and ours to write to; a folder there is its user's alone. */
async function folderInMemory(places: readonly (string | undefined)[]): Promise<string | undefined> {
  for (const place of places) {
    if (place === undefined || !place.startsWith('/')) continue;
    if (!(await isInMemory(place).catch(() => false))) continue;
    const folder = await mkdtemp(join(place, 'autark-')).catch(() => undefined);
    if (folder !== undefined) return folder;
  }
  return undefined;
}

/**
 * As git does it: the setting is shell words, and the file an argument that the shell never parses. Returns what went
 * wrong; `null` when nothing did. The editor is not the shell, and ends with it all the same: it has the value in its own
 * memory, and would sit on a terminal that is somebody else's by then.
 */
function runEditor(file: string, env: Editing['env'], signal: AbortSignal): Promise<string | null> {
  const editor =
    [env['VISUAL'], env['EDITOR']].find((each) => each !== undefined && each.trim() !== '') ?? 'vi';
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', `${editor} "$@"`, editor, file], {
      env: { ...env, [mark]: file },
      stdio: 'inherit',
    });
    const end = () => {
      void endEditor(child, file).then(() => {
        resolve(null);
      });
    };
    if (signal.aborted) end();
    signal.addEventListener('abort', end);
    const done = (how: string | null) => {
      if (signal.aborted) return;
      signal.removeEventListener('abort', end);
      resolve(how);
    };
    child.once('error', (error) => {
      done(`the editor’s shell cannot be run: ${error.message}`);
    });
    child.once('exit', (code, by) => {
      if (code === 0) done(null);
      else done(`the editor ${code === null ? `was ended by ${by ?? 'a signal'}` : `ended with ${code}`}`);
    });
  });
}

/** Asks all that was started for this file to end, and kills what does not. They share our process group with us. */
async function endEditor(child: ChildProcess, file: string): Promise<void> {
  const end = performance.now() + patience;
  signalAll(child, file, 'SIGTERM');
  while (marked(file).length > 0 && performance.now() < end) await delay(pause);
  signalAll(child, file, 'SIGKILL');
}

function signalAll(child: ChildProcess, file: string, signal: NodeJS.Signals): void {
  child.kill(signal);
  for (const pid of marked(file)) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended by itself.
    }
  }
}

/** None where there is no `/proc`: then only the shell is known. */
function marked(file: string): readonly number[] {
  try {
    return processesWith(mark, file);
  } catch {
    return [];
  }
}

const noMemory: Failure = {
  kind: 'unexpected',
  cause:
    'there is no folder in memory (tmpfs) that you may write to for the editor, and no secret is written to a disk',
  where: '$XDG_RUNTIME_DIR, /dev/shm',
  remedy: 'pass the value through pipes: autark secret show NAME | … | autark secret set NAME',
};

function notEdited(how: string): Failure {
  return {
    kind: 'unexpected',
    cause: `nothing was changed: ${how}`,
    remedy: 'set $VISUAL or $EDITOR to an editor that stays until you are done, and run this again',
  };
}
