import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openTrees } from '../../agent/adapters/trees.ts';
import type { TreeEntry } from '../../agent/ports.ts';
import { fail, ok, type Result } from '../../shared/failure.ts';
import { describeWith } from '../rig/needs.ts';
import { failureOf, scratch, valueOf } from '../agent/adapters/scratch.ts';

const seconds = 1_234_567_890;

// eslint-disable-next-line @typescript-eslint/require-await
async function* walk(
  ...entries: readonly (TreeEntry | Result<TreeEntry>)[]
): AsyncGenerator<Result<TreeEntry>> {
  for (const entry of entries) yield 'ok' in entry ? entry : ok(entry);
}

const file = (path: string, text = path, executable = false): TreeEntry => ({
  kind: 'file',
  path,
  executable,
  bytes: Buffer.from(text),
});
const folder = (path: string): TreeEntry => ({ kind: 'directory', path });
const link = (path: string, target: string): TreeEntry => ({ kind: 'link', path, target });

let umask: number;
beforeEach(() => {
  umask = process.umask(0o077);
});
afterEach(() => {
  process.umask(umask);
});

describe('a tree', () => {
  test('is written as it is, with the modes of Git and one time for everything', async () => {
    const directory = join(scratch(), 'a/tree');
    const written = await openTrees({ directory }).write(
      walk(
        file('run', '#!', true),
        folder('d'),
        folder('d/e'),
        file('d/e/f', ''),
        link('d/up', '../run'),
        file('z'),
      ),
      seconds,
    );
    expect(valueOf(written)).toBe(directory);
    const names = readdirSync(directory, { recursive: true }).map(String).sort();
    expect(names).toEqual(['d', 'd/e', 'd/e/f', 'd/up', 'run', 'z']);
    const mode = (name: string): number => lstatSync(join(directory, name)).mode & 0o7777;
    expect(['run', 'd', 'd/e', 'd/e/f', 'z', ''].map(mode)).toEqual([
      0o755, 0o755, 0o755, 0o644, 0o644, 0o755,
    ]);
    for (const name of [...names, ''])
      expect(lstatSync(join(directory, name)).mtimeMs, name).toBe(seconds * 1000);
    expect(readFileSync(join(directory, 'z'), 'utf8')).toBe('z');
    expect(readlinkSync(join(directory, 'd/up'))).toBe('../run');
  });

  test('replaces the one before, and follows no link to remove it', async () => {
    const base = scratch();
    const [directory, precious] = [join(base, 'tree'), join(base, 'precious')];
    mkdirSync(precious);
    writeFileSync(join(precious, 'file'), 'x');
    mkdirSync(directory);
    symlinkSync(precious, join(directory, 'inner'));
    valueOf(await openTrees({ directory }).write(walk(file('new')), seconds));
    expect(readdirSync(directory)).toEqual(['new']);
    await openTrees({ directory }).remove();
    symlinkSync(precious, directory);
    valueOf(await openTrees({ directory }).write(walk(), seconds));
    expect(lstatSync(directory).isDirectory()).toBe(true);
    expect(readFileSync(join(precious, 'file'), 'utf8')).toBe('x');
    await openTrees({ directory }).remove();
    await openTrees({ directory }).remove();
    expect(readdirSync(base)).toEqual(['precious']);
  });

  test.each([
    ['an absolute path', [file('/etc/x')]],
    ['a way up', [file('../x')]],
    ['a way up in the middle', [folder('a'), file('a/../../x')]],
    ['a dot', [file('./x')]],
    ['an empty name', [folder('a'), file('a//x')]],
    ['no name', [folder('')]],
    ['a NUL', [file('a\0b')]],
    ['a parent that is a link', [link('a', '..'), file('a/x')]],
    ['a parent that is a file', [file('a'), file('a/x')]],
    ['a parent that comes later', [file('a/x'), folder('a')]],
    ['a file in place of a link', [link('a', '../x'), file('a')]],
    ['a folder twice', [folder('a'), folder('a')]],
  ])('with %s is refused, and nothing of it is left', async (_name, entries) => {
    const base = scratch();
    const directory = join(base, 'tree');
    expect(failureOf(await openTrees({ directory }).write(walk(...entries), seconds)).kind).toBe(
      'unexpected',
    );
    expect(readdirSync(base)).toEqual([]);
  });

  test('whose walk fails is not written', async () => {
    const base = scratch();
    const failure = { kind: 'invalid', cause: 'a gitlink', where: 'sub', remedy: 'remove it' } as const;
    const written = await openTrees({ directory: join(base, 'tree') }).write(
      walk(file('a'), fail(failure)),
      seconds,
    );
    expect(failureOf(written)).toEqual(failure);
    expect(readdirSync(base)).toEqual([]);
  });

  test('that cannot be written says where', async () => {
    const base = scratch();
    writeFileSync(join(base, 'file'), '');
    const directory = join(base, 'file', 'tree');
    const failure = failureOf(await openTrees({ directory }).write(walk(), seconds));
    expect(failure).toMatchObject({ kind: 'unexpected', where: directory });
    const name = 'n'.repeat(300);
    const long = failureOf(
      await openTrees({ directory: join(base, 'tree') }).write(walk(file(name)), seconds),
    );
    expect(long).toMatchObject({ kind: 'unexpected', where: join(base, 'tree', name) });
  });
});

describeWith(['root'], 'on a full disk', () => {
  test.each([
    ['bytes', 'size=256k', [file('small'), file('large', 'x'.repeat(1024 * 1024))]],
    ['inodes', 'size=1m,nr_inodes=6', ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => file(name))],
  ])('without %s a tree is not written, and the room is given back', async (_what, options, entries) => {
    const mount = scratch();
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'autark-test', mount]);
    onTestFinished(() => {
      execFileSync('umount', [mount]);
    });
    const trees = openTrees({ directory: join(mount, 'tree') });
    const failure = failureOf(await trees.write(walk(...entries), seconds));
    expect(failure.kind).toBe('no-space');
    expect(failure.where).toContain(join(mount, 'tree'));
    expect(readdirSync(mount)).toEqual([]);
    valueOf(await trees.write(walk(file('small')), seconds));
  });
});
