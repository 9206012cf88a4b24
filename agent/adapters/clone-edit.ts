import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { isInMemory } from './secrets/memory.ts';

interface Editing {
  readonly name: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/**
 * The editor has a folder of its own, for what it writes beside the file is as secret. It is removed before anything
 * else is done, also when a signal ends the editor.
 */
export async function editInMemory(value: Uint8Array, editing: Editing): Promise<Result<Uint8Array>> {
  const { name, env, signal } = editing;
  const place = await placeInMemory([env['XDG_RUNTIME_DIR'], '/dev/shm']);
  if (place === undefined) return fail(noMemory);
  const folder = await mkdtemp(join(place, 'autark-'));
  try {
    const file = join(folder, name);
    await writeFile(file, value, { mode: 0o600, flag: 'wx' });
    const code = await runEditor(file, env, signal);
    if (signal.aborted || code !== 0) return fail(notEdited(code));
    return ok(await readFile(file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function placeInMemory(places: readonly (string | undefined)[]): Promise<string | undefined> {
  for (const place of places) {
    if (place === undefined || !place.startsWith('/')) continue;
    if (await isInMemory(place).catch(() => false)) return place;
  }
  return undefined;
}

/** As git does it: the setting is shell words, and the file an argument that the shell never parses. */
function runEditor(file: string, env: Editing['env'], signal: AbortSignal): Promise<number> {
  const editor = env['VISUAL'] ?? env['EDITOR'] ?? 'vi';
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', `${editor} "$@"`, editor, file], {
      env: { ...env },
      stdio: 'inherit',
    });
    const end = () => {
      child.kill('SIGTERM');
    };
    if (signal.aborted) end();
    signal.addEventListener('abort', end);
    const done = (code: number) => {
      signal.removeEventListener('abort', end);
      resolve(code);
    };
    child.once('error', () => {
      done(127);
    });
    child.once('exit', (code) => {
      done(code ?? 1);
    });
  });
}

const noMemory: Failure = {
  kind: 'unexpected',
  cause: 'there is no folder in memory (tmpfs) for the editor, and no secret is written to a disk',
  where: '$XDG_RUNTIME_DIR, /dev/shm',
  remedy: 'pass the value through pipes: autark secret show NAME | … | autark secret set NAME',
};

function notEdited(code: number): Failure {
  return {
    kind: 'unexpected',
    cause: `nothing was changed: the editor ended with ${code}`,
    remedy: 'set $VISUAL or $EDITOR to an editor that stays until you are done, and run this again',
  };
}
