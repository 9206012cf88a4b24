import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sealSystem } from '../../../agent/adapters/seal.ts';
import { failureOf, scratch, valueOf } from './scratch.ts';

const searchPath = '/run/current-system/sw/bin:/usr/bin:/bin';
const seal = (path: string) => sealSystem(path, searchPath);
const digestOf = async (path: string): Promise<string> => valueOf(await seal(path)).digest;

function built(): string {
  const path = scratch();
  chmodSync(path, 0o755);
  mkdirSync(join(path, 'bin'));
  writeFileSync(join(path, 'bin/switch-to-configuration'), '#!/bin/sh\n', { mode: 0o755 });
  return path;
}

/** A `sync` program to find first. */
function fakeSync(script: string): string {
  const bin = scratch();
  writeFileSync(join(bin, 'sync'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return bin;
}

/** Puts something else in the program's place. */
const instead =
  (make: (program: string) => void) =>
  (program: string): void => {
    rmSync(program);
    make(program);
  };

const nameOf = (path: string, byte: number): Buffer =>
  Buffer.concat([Buffer.from(`${path}/`), Buffer.from([byte])]);

describe('the digest of a built system', () => {
  test('names it by what is in it, not by where it is', async () => {
    const [one, two] = [built(), built()];
    const sealed = valueOf(await seal(one));
    expect(sealed.path).toBe(one);
    expect(sealed.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(await digestOf(two)).toBe(sealed.digest);
  });

  const program = 'bin/switch-to-configuration';
  test.each<[string, (path: string) => unknown]>([
    ['a content', (path) => execFileSync('sh', ['-c', 'echo >>"$0"', join(path, program)])],
    ['a mode', (path) => execFileSync('chmod', ['0555', join(path, program)])],
    ['a set-user-id bit', (path) => execFileSync('chmod', ['4755', join(path, program)])],
    ["a directory's mode", (path) => execFileSync('chmod', ['0700', join(path, 'bin')])],
    ['its own mode', (path) => execFileSync('chmod', ['0750', path])],
    ['an empty directory', (path) => execFileSync('mkdir', [join(path, 'empty')])],
    ['an empty file', (path) => execFileSync('touch', [join(path, 'empty')])],
    ['a link', (path) => execFileSync('ln', ['-s', 'bin', join(path, 'link')])],
    ['a name', (path) => execFileSync('cp', ['-a', join(path, program), join(path, 'bin/copy')])],
  ])('sees a change of %s', async (_what, change) => {
    const path = built();
    const before = await digestOf(path);
    change(path);
    expect(await digestOf(path)).not.toBe(before);
  });

  test('tells names apart that are no text', async () => {
    const [one, two] = [built(), built()];
    writeFileSync(nameOf(one, 0xfe), '');
    writeFileSync(nameOf(two, 0xff), '');
    expect(await digestOf(one)).not.toBe(await digestOf(two));
  });

  test("sees a link's target, but no times", async () => {
    const withLink = (target: string): Promise<string> => {
      const path = built();
      symlinkSync(target, join(path, 'link'));
      if (target === 'a') execFileSync('touch', ['-h', '-d', '@1', join(path, 'link'), join(path, 'bin')]);
      return digestOf(path);
    };
    expect(await withLink('a')).toBe(await withLink('a'));
    expect(await withLink('a')).not.toBe(await withLink('b'));
  });

  test('does not depend on the order in which entries were made', async () => {
    const withFiles = (names: readonly string[]): Promise<string> => {
      const path = built();
      for (const name of names) writeFileSync(join(path, name), name);
      return digestOf(path);
    };
    const names = ['b', 'a', 'a.b', 'aa', 'Z', 'ü', '10', '9'];
    expect(await withFiles(names)).toBe(await withFiles([...names].reverse()));
  });

  test('reads a file larger than its buffer to the end', async () => {
    const withLast = (last: number): Promise<string> => {
      const path = built();
      const content = Buffer.alloc(1_000_000);
      content[999_999] = last;
      writeFileSync(join(path, 'large'), content);
      return digestOf(path);
    };
    expect(await withLast(0)).not.toBe(await withLast(1));
  });
});

describe('a system is refused when its program', () => {
  test.each<[string, (program: string) => void, RegExp]>([
    ['is missing', instead(() => undefined), /there is no bin\/switch-to-configuration/],
    [
      'is not executable',
      (program) => {
        chmodSync(program, 0o644);
      },
      /is not executable/,
    ],
    [
      'is a directory',
      instead((program) => {
        mkdirSync(program);
      }),
      /is not a file/,
    ],
    [
      'is a link to nowhere',
      instead((program) => {
        symlinkSync('nowhere', program);
      }),
      /leads nowhere/,
    ],
    [
      'is a link to itself',
      instead((program) => {
        symlinkSync(basename(program), program);
      }),
      /leads nowhere/,
    ],
    [
      'climbs out',
      instead((program) => {
        symlinkSync(`${'../'.repeat(12)}bin/sh`, program);
      }),
      /leads out of the system/,
    ],
  ])('%s', async (_what, damage, cause) => {
    const path = built();
    const program = join(path, 'bin/switch-to-configuration');
    damage(program);
    const failure = failureOf(await seal(path));
    expect(failure).toMatchObject({ kind: 'build-failed', where: program });
    expect(failure.cause).toMatch(cause);
    expect(failure.remedy).toMatch(/executable bin\/switch-to-configuration/);
  });
});

test('the program may be a link inside the system, or absolute to an existing file', async () => {
  const [inside, absolute] = [built(), built()];
  for (const path of [inside, absolute]) rmSync(join(path, 'bin/switch-to-configuration'));
  writeFileSync(join(inside, 'activate'), '', { mode: 0o755 });
  symlinkSync('../activate', join(inside, 'bin/switch-to-configuration'));
  symlinkSync('/bin/sh', join(absolute, 'bin/switch-to-configuration'));
  valueOf(await seal(inside));
  valueOf(await seal(absolute));
});

test('what is neither file, directory nor link is refused without being opened', async () => {
  const path = built();
  execFileSync('mkfifo', [join(path, 'pipe')]);
  expect(failureOf(await seal(path))).toMatchObject({ kind: 'build-failed', where: join(path, 'pipe') });
});

test.skipIf(process.getuid?.() === 0)('what cannot be read is the fault of the build', async () => {
  const path = built();
  writeFileSync(join(path, 'closed'), '', { mode: 0 });
  expect(failureOf(await seal(path))).toMatchObject({ kind: 'build-failed' });
});

describe('bringing a system to disk', () => {
  test('asks sync for exactly the file system of the system', async () => {
    const path = built();
    const bin = fakeSync('printf "%s\\n" "$@" >"${0%/*}/arguments"');
    valueOf(await sealSystem(path, bin));
    expect(readFileSync(join(bin, 'arguments'), 'utf8')).toBe(`-f\n${path}\n`);
  });

  test.each<[string, () => string]>([
    ['without a sync program', () => scratch()],
    ['with a sync that lacks -f', () => fakeSync('echo "sync: invalid option -- \'f\'" >&2; exit 1')],
    ['with the sync of an old busybox', () => fakeSync('echo "Usage: sync" >&2; exit 1')],
  ])('works %s', async (_what, bin) => {
    const path = built();
    symlinkSync('nowhere', join(path, 'link'));
    expect(valueOf(await sealSystem(path, bin())).digest).toBe(await digestOf(path));
  });

  test.each([
    ['Input/output error', 'unexpected'],
    ['No space left on device', 'no-space'],
    ['Disk quota exceeded', 'no-space'],
  ])('fails when sync reports: %s', async (text, kind) => {
    const path = built();
    const failure = failureOf(
      await sealSystem(path, fakeSync(`echo "sync: error syncing '$2': ${text}" >&2; exit 1`)),
    );
    expect(failure).toMatchObject({ kind, where: path });
    expect(failure.cause).toContain(`error syncing '${path}': ${text}`);
  });
});
