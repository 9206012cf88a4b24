import {
  chmodSync,
  chownSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileMemory } from '../../agent/adapters/clone-memory.ts';
import type { Remembered } from '../../shared/record/remembered.ts';

/** What says “this need not be verified” must be of our own writing. */
const remembered: Remembered = { introduction: 'a'.repeat(40), authentic: 'b'.repeat(40), seen: new Map() };
let directory: string;
let folder: string;
let file: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'autark-memory-'));
  folder = join(directory, 'autark');
  file = join(folder, 'readers.json');
  await fileMemory(directory, 'main').save(remembered);
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const load = () => fileMemory(directory, 'main').load();

test('it is found again, and nobody else can read or write it', async () => {
  expect(await load()).toEqual(remembered);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

const spoiled: [string, () => void][] = [
  [
    'a file that others may write',
    () => {
      chmodSync(file, 0o622);
    },
  ],
  [
    'a file in a folder that others may write',
    () => {
      chmodSync(folder, 0o777);
    },
  ],
  [
    'a link',
    () => {
      renameSync(file, `${file}.real`);
      symlinkSync(`${file}.real`, file);
    },
  ],
  [
    'a file that was cut off',
    () => {
      writeFileSync(file, '{"format": 1');
    },
  ],
  [
    'no file',
    () => {
      rmSync(file);
    },
  ],
];
test.each(spoiled)('%s is not believed', async (_what, spoil) => {
  spoil();
  expect(await load()).toBeNull();
});

test.runIf(process.geteuid?.() === 0)('a file of another user is not believed', async () => {
  chownSync(file, 65534, 65534);
  expect(await load()).toBeNull();
});

test('a folder that cannot be written to is no failure', async () => {
  const nowhere = join(directory, 'no', 'such', 'clone');
  writeFileSync(join(directory, 'no'), '');
  await fileMemory(nowhere, 'main').save(remembered);
  expect(await fileMemory(nowhere, 'main').load()).toBeNull();
});

test('what was found authentic on a branch is no floor of another, and is found again after that one', async () => {
  const other = fileMemory(directory, 'topic');
  expect(await other.load()).toEqual({ ...remembered, authentic: null });
  await other.save({ ...remembered, authentic: 'c'.repeat(40) });
  expect(await load()).toEqual(remembered);
  expect(await other.load()).toEqual({ ...remembered, authentic: 'c'.repeat(40) });
});
