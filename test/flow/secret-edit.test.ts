import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { processStat } from '../../agent/adapters/proc.ts';
import { talk } from '../rig/dialogue.ts';
import { describeWith } from '../rig/needs.ts';
import { patience } from '../rig/patience.ts';
import { must, run, type RanProgram } from '../rig/run.ts';
import { fleetOfThree, opens, set } from '../rig/secret-desk.ts';
import { program, type World } from '../rig/world.ts';

const edit = ['secret', 'edit', 'edited'];

describeWith(['age'], 'secret edit', () => {
  let world: World;
  /** The folder in memory, which is nobody else's here, so that all that is left in it is ours. */
  let memory: string;
  beforeAll(async () => {
    memory = mkdtempSync('/dev/shm/autark-test-');
    ({ world } = await fleetOfThree());
    expect((await set(world, 'hunter2\n', ['edited', '--host', 'web1'])).code).toBe(0);
    await mkdir(join(world.dir, 'editors'));
  });
  afterAll(async () => {
    rmSync(memory, { recursive: true, force: true });
    await world.remove();
  });
  /** Whatever became of it, nothing is left where the editor was. */
  afterEach(() => {
    expect(readdirSync(memory)).toEqual([]);
  });

  /** A program that edits the file `$1`, beside which it may leave notes in `$notes`. */
  const editor = async (script: string): Promise<Record<string, string>> => {
    const file = join(world.dir, 'editors/editor');
    await writeFile(file, `#!/bin/sh\nnotes='${notes('')}'\n${script}\n`, { mode: 0o755 });
    return { ...world.env, EDITOR: file, XDG_RUNTIME_DIR: memory };
  };
  const notes = (name: string): string => join(world.dir, 'editors', name);
  const note = (name: string): string => readFileSync(notes(name), 'utf8').trim();
  const edits = async (script: string, more: Record<string, string> = {}): Promise<RanProgram> =>
    // A umask that takes nothing away: modes are what we ask for.
    run('/bin/sh', ['-c', 'umask 0; exec "$@"', 'sh', process.execPath, program, ...edit], {
      ...{ cwd: world.clone, env: { ...(await editor(script)), ...more } },
    });
  const head = (): Promise<string> => world.git(['rev-parse', 'HEAD']);
  const state = async (): Promise<string> => `${await head()}\n${await world.git(['status', '--porcelain'])}`;
  const value = (): Promise<string | null> => opens(world, 'web1', 'secrets/edited.age');

  test('a value that was changed is one commit, of its file and the lock alone', async () => {
    const before = await head();
    const ran = await edits('cat "$1" >"$notes/before"; echo hunter3 >"$1"');
    expect(ran.code, ran.stderr).toBe(0);
    expect(note('before')).toBe('hunter2');
    expect(await world.git(['rev-parse', 'HEAD~1'])).toBe(before);
    expect(ran.stdout.trim()).toBe(await head());
    expect(await world.git(['diff', '--name-only', 'HEAD~1'])).toBe(
      'secrets/edited.age\nsecrets/readers.lock',
    );
    expect(await value()).toBe('hunter3\n');
  });

  test('the file is the user’s alone, in a folder that is too, in memory, whatever the umask', async () => {
    const ran = await edits(
      'stat --format %a "$1" "$(dirname "$1")" >"$notes/modes"; stat -f --format %T "$1" >"$notes/type"; echo "$1" >"$notes/path"',
    );
    expect(ran.stderr).toContain('nothing was changed');
    expect(note('modes')).toBe('600\n700');
    expect(note('type')).toMatch(/^(tmpfs|ramfs)$/);
    expect(dirname(dirname(note('path')))).toBe(memory);
  });

  test('an editor that writes a new file in its place works, and what it leaves beside it is gone', async () => {
    const ran = await edits(
      'cp "$1" "$1~"; cp "$1" "$(dirname "$1")/.edited.swp"; echo renamed >"$1.new"; mv "$1.new" "$1"; ls -A "$(dirname "$1")" >"$notes/beside"',
    );
    expect(ran.code, ran.stderr).toBe(0);
    expect(note('beside')).toBe('.edited.swp\nedited\nedited~');
    expect(await value()).toBe('renamed\n');
  });

  test('the setting is words of the shell, and one that is empty is none', async () => {
    const env = await editor('echo "$1" "$#" >"$notes/words"');
    const words = { VISUAL: '', EDITOR: `${env['EDITOR'] ?? ''} '--wait  here'` };
    const ran = await run(process.execPath, [program, ...edit], {
      cwd: world.clone,
      env: { ...env, ...words },
    });
    expect(ran.stderr).toContain('nothing was changed');
    expect(note('words')).toBe('--wait  here 2');
  });

  const nothings: [string, string, number, RegExp][] = [
    [
      'leaves it as it is',
      'cat "$1" >"$1.new"; mv "$1.new" "$1"',
      0,
      /has this value already.*nothing was changed/,
    ],
    ['fails', 'echo spoilt >"$1"; exit 3', 1, /nothing was changed: the editor ended with 3; .*\$EDITOR/],
    [
      'is killed',
      'echo spoilt >"$1"; kill -KILL $$',
      1,
      /nothing was changed: the editor (was ended by SIGKILL|ended with 137)/,
    ],
    ['removes the file', 'rm "$1"', 1, /nothing was changed: the editor left no file/],
    ['empties it', ': >"$1"', 1, /no value was given, and nothing was changed/],
    [
      'fills it with more than hosts keep',
      'head -c 1048577 /dev/zero >"$1"',
      1,
      /larger than 1048576 bytes, .*nothing was changed/,
    ],
  ];
  test.each(nothings)('an editor that %s changes nothing', async (_what, script, code, says) => {
    const before = await state();
    const ran = await edits(script);
    expect(ran.stderr).toMatch(says);
    expect(ran).toMatchObject({ code, stdout: '' });
    expect(await state()).toBe(before);
  });

  test('an editor that does not exist is named by the shell, and what to set by us', async () => {
    const ran = await edits('', { EDITOR: '/nonexistent/editor' });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/\/nonexistent\/editor[^]*ended with 127; set \$VISUAL or \$EDITOR/);
  });

  /** Edits with an editor that goes on for ever, and signals autark, as soon as the value is in the editor’s hands. */
  const interrupted = async (script: string, signals: readonly NodeJS.Signals[]) => {
    await rm(notes('ready'), { force: true });
    const env = await editor(
      `${script}\necho $$ >"$notes/pid"; mv "$notes/pid" "$notes/ready"\nwhile sleep 0.1; do :; done`,
    );
    const child = spawn(process.execPath, [program, ...edit], { cwd: world.clone, env, stdio: 'ignore' });
    const ended = new Promise<number | string | null>((resolve) => {
      child.once('exit', (code, signal) => {
        resolve(code ?? signal);
      });
    });
    await vi.waitUntil(() => existsSync(notes('ready')), patience);
    expect(readdirSync(memory)).toHaveLength(1);
    for (const signal of signals) {
      child.kill(signal);
      // The next signal may come as soon as the value is gone.
      await vi.waitUntil(() => readdirSync(memory).length === 0, patience);
    }
    return { code: await ended, editor: Number(note('ready')) };
  };
  /** A process that has ended counts as such before anybody has waited for it. */
  const isAlive = (pid: number): boolean => !/^(|[ZX])$/.test(processStat(pid)?.state ?? '');

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGQUIT', 131],
    // A window that is closed.
    ['SIGHUP', 1],
  ] as const)('%s while the editor runs leaves no value, no editor and no change', async (signal, code) => {
    const before = await state();
    const ran = await interrupted('echo spoilt >"$1"; cp "$1" "$1~"', [signal]);
    expect(ran.code).toBe(code);
    expect(isAlive(ran.editor)).toBe(false);
    expect(await state()).toBe(before);
  });

  test('an editor that does not end when it is asked to is killed, and the value is gone', async () => {
    const ran = await interrupted(`trap '' TERM`, ['SIGTERM']);
    expect(ran.code).toBe(143);
    expect(isAlive(ran.editor)).toBe(false);
  });

  test('who asks twice has autark gone at once, and the value too', async () => {
    const ran = await interrupted(`trap '' TERM`, ['SIGTERM', 'SIGTERM']);
    // By itself it goes two seconds after the first signal, when it has ended the editor.
    expect(['SIGTERM', 143]).toContain(ran.code);
    if (ran.code === 'SIGTERM') process.kill(ran.editor, 'SIGKILL');
  });

  test('Ctrl-C on the terminal of an editor that takes it for an interrupt leaves nothing', async () => {
    const before = await state();
    const env = await editor('echo "editing $1"; sleep 60');
    const said = await talk(world, edit, [['editing', '\u0003']], { env });
    expect(said).toMatchObject({ code: 130, isRestored: true });
    expect(await state()).toBe(before);
  });

  test('where the user’s folder in memory is somebody else’s, the next one is taken', async () => {
    const ran = await edits('echo "$1" >"$notes/path"', { XDG_RUNTIME_DIR: join(world.dir, 'editors') });
    expect(ran.stderr).toContain('nothing was changed');
    expect(note('path')).toMatch(/^\/dev\/shm\/autark-\w+\/edited$/);
    expect(existsSync(dirname(note('path')))).toBe(false);
  });
});

const onDisk = statfsSync('/var/tmp').type;
describeWith(['root', 'age'], 'secret edit without memory', () => {
  test('is refused, says why, and writes nothing to a disk', async () => {
    const { world } = await fleetOfThree();
    try {
      expect((await set(world, 'hunter2', ['edited', '--host', 'web1'])).code).toBe(0);
      const disk = join(world.dir, 'disk');
      await mkdir(disk);
      expect(statfsSync(disk).type).toBe(onDisk);
      // A mount namespace of its own, where what lies at /dev/shm is on the disk.
      const script = `mount --bind '${disk}' /dev/shm && exec '${process.execPath}' '${program}' ${edit.join(' ')}`;
      const env = { ...world.env, XDG_RUNTIME_DIR: disk, EDITOR: `touch '${world.dir}/ran'` };
      const ran = await run('unshare', ['--mount', '/bin/sh', '-c', script], { cwd: world.clone, env });
      expect(ran.code).toBe(1);
      expect(ran.stderr).toMatch(
        /there is no folder in memory \(tmpfs\).*no secret is written to a disk \(\$XDG_RUNTIME_DIR, \/dev\/shm\); pass the value through pipes/,
      );
      expect(existsSync(join(world.dir, 'ran'))).toBe(false);
      expect(await must('find', [disk, '-mindepth', '1'])).toBe('');
    } finally {
      await world.remove();
    }
  });
});
