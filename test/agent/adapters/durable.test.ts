import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  makeFolder,
  readIfThere,
  removeDurably,
  sweepTemporaries,
  temporaryName,
  writeDurably,
} from '../../../agent/adapters/durable.ts';
import { failureOf, scratch } from './scratch.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
/** No process has this number: pid_max is at most 2^22 (proc_sys_kernel(5)). */
const deadPid = 2 ** 22 + 1;

describe('writeDurably', () => {
  test('writes a new file with exactly the mode asked for', async () => {
    const folder = scratch();
    const before = process.umask(0o077);
    try {
      expect(await writeDurably(join(folder, 'a'), bytes('new'), 0o644)).toEqual({
        ok: true,
        value: undefined,
      });
    } finally {
      process.umask(before);
    }
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('new');
    expect(statSync(join(folder, 'a')).mode & 0o7777).toBe(0o644);
    expect(readdirSync(folder)).toEqual(['a']);
  });

  test('replaces a file, its mode included', async () => {
    const path = join(scratch(), 'a');
    writeFileSync(path, 'a longer old text', { mode: 0o666 });
    await writeDurably(path, bytes('new'), 0o600);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(statSync(path).mode & 0o7777).toBe(0o600);
  });

  test('replaces a link instead of writing through it', async () => {
    const folder = scratch();
    writeFileSync(join(folder, 'target'), 'untouched');
    symlinkSync('target', join(folder, 'a'));
    await writeDurably(join(folder, 'a'), bytes('new'), 0o600);
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('untouched');
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('new');
  });

  test('clears away what dead writers left, and only that', async () => {
    const folder = scratch();
    const dead = `.a.${deadPid}.5.0123456789abcdef.autark-tmp`;
    const deadOther = `.other.json.${process.pid}.1.0123456789abcdef.autark-tmp`;
    const alive = temporaryName(join(folder, 'a'));
    const foreign = ['.a.autark-tmp', `a.${deadPid}.5.0123456789abcdef.autark-tmp`, '.b.tmp'];
    for (const name of [dead, deadOther, ...foreign]) writeFileSync(join(folder, name), 'half');
    writeFileSync(alive, 'half');
    await writeDurably(join(folder, 'a'), bytes('new'), 0o600);
    expect(readdirSync(folder).sort()).toEqual(['a', ...foreign, alive.slice(folder.length + 1)].sort());
  });

  test('many writers of one file at once leave one of their texts and nothing else', async () => {
    const path = join(scratch(), 'a');
    const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(20_000));
    const results = await Promise.all(texts.map((text) => writeDurably(path, bytes(text), 0o600)));
    expect(results.every((result) => result.ok)).toBe(true);
    expect(texts).toContain(readFileSync(path, 'utf8'));
    expect(readdirSync(join(path, '..'))).toEqual(['a']);
  });

  test('fails with place and next step where the folder is missing, and leaves nothing', async () => {
    const path = join(scratch(), 'missing/a');
    expect(failureOf(await writeDurably(path, bytes('x'), 0o600))).toEqual({
      kind: 'unexpected',
      cause: 'cannot write a: it, or a folder above it, does not exist',
      where: path,
      remedy: 'mend that path, then run this again',
    });
    expect(existsSync(join(path, '..'))).toBe(false);
  });

  test('fails where a folder has the name, and leaves no temporary file', async () => {
    const folder = scratch();
    mkdirSync(join(folder, 'a'));
    expect(failureOf(await writeDurably(join(folder, 'a'), bytes('x'), 0o600)).kind).toBe('unexpected');
    expect(readdirSync(folder)).toEqual(['a']);
  });
});

describe('readIfThere', () => {
  test('tells a file, nothing, and something unreadable apart', async () => {
    const folder = scratch();
    writeFileSync(join(folder, 'a'), 'text');
    symlinkSync('nowhere', join(folder, 'broken'));
    const read = await readIfThere(join(folder, 'a'));
    expect(read.ok && Buffer.from(read.value ?? []).toString()).toBe('text');
    expect(await readIfThere(join(folder, 'b'))).toEqual({ ok: true, value: null });
    expect(await readIfThere(join(folder, 'no/such/folder'))).toEqual({ ok: true, value: null });
    for (const path of ['broken', '.', 'a/below']) {
      expect(failureOf(await readIfThere(join(folder, path))), path).toMatchObject({ kind: 'unexpected' });
    }
  });

  test('one that is made while it is looked for was there or was not, and nothing else', async () => {
    const folder = scratch();
    for (let round = 0; round < 300; round += 1) {
      const path = join(folder, String(round));
      const read = readIfThere(path);
      // Between its first look and the next one, more often than not.
      await new Promise((resolve) => setImmediate(resolve));
      writeFileSync(path, '');
      expect(await read).toMatchObject({ ok: true });
    }
  });
});

test('makeFolder makes what is missing and minds nothing that is there', async () => {
  const folder = scratch();
  await makeFolder(join(folder, 'a/b/c'), 0o700);
  await makeFolder(join(folder, 'a/b/c'), 0o700);
  expect(statSync(join(folder, 'a/b/c')).mode & 0o777).toBe(0o700);
});

test('removeDurably removes, and minds neither a missing file nor a missing folder', async () => {
  const folder = scratch();
  writeFileSync(join(folder, 'a'), '');
  await removeDurably(join(folder, 'a'));
  await removeDurably(join(folder, 'a'));
  await removeDurably(join(folder, 'no/a'));
  expect(readdirSync(folder)).toEqual([]);
});

test('sweepTemporaries leaves the files of living processes', async () => {
  const folder = scratch();
  const mine = temporaryName(join(folder, 'x'));
  writeFileSync(mine, '');
  await sweepTemporaries(folder);
  expect(existsSync(mine)).toBe(true);
});

test.skipIf(process.getuid?.() === 0)(
  'a folder that may not be written to is named with what to do',
  async () => {
    const folder = scratch();
    writeFileSync(join(folder, 'a'), 'old');
    chmodSync(folder, 0o555);
    const failure = failureOf(await writeDurably(join(folder, 'a'), bytes('x'), 0o600));
    expect(failure).toMatchObject({ kind: 'unexpected', cause: 'cannot write a: permission denied' });
    expect(failure.remedy).toMatch(/access/);
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('old');
  },
);
