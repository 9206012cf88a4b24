import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readBeneath } from '../../../agent/adapters/beneath.ts';

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'autark-beneath-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  mkdirSync(join(folder, 'a/b'), { recursive: true });
  writeFileSync(join(folder, 'a/b/file'), 'text');
  return folder;
}

test('a file is read, at the top and deeper', () => {
  const folder = makeFolder();
  expect(readBeneath(folder, 'a/b/file', 4)?.toString()).toBe('text');
  expect(readBeneath(join(folder, 'a/b'), 'file', 4)?.toString()).toBe('text');
});

test.each([
  [
    'a link to a file',
    (at: string) => {
      symlinkSync('b/file', join(at, 'a/link'));
      return 'a/link';
    },
  ],
  [
    'a link to a folder on the way',
    (at: string) => {
      symlinkSync('a', join(at, 'way'));
      return 'way/b/file';
    },
  ],
  [
    'a pipe, which nobody writes to',
    (at: string) => {
      execFileSync('mkfifo', [join(at, 'a/pipe')]);
      return 'a/pipe';
    },
  ],
  ['a folder', () => 'a/b'],
  ['nothing', () => 'a/none'],
  ['a file on the way', () => 'a/b/file/more'],
])('%s is not', (_name, make) => {
  const folder = makeFolder();
  expect(readBeneath(folder, make(folder), 1000)).toBeNull();
});

test('a file with more bytes than that is not', () => {
  expect(readBeneath(makeFolder(), 'a/b/file', 3)).toBeNull();
});
