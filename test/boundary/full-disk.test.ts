import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writeDurably } from '../../agent/adapters/durable.ts';
import { fileJournals } from '../../agent/adapters/journal.ts';
import { linuxMachine } from '../../agent/adapters/machine.ts';
import { fileOutbox } from '../../agent/adapters/outbox.ts';
import { systemRandom } from '../../agent/adapters/random.ts';
import { removeTree } from '../../agent/adapters/remove-tree.ts';
import { fileSystems } from '../../agent/adapters/systems.ts';
import { fullJournal } from '../agent/adapters/journals.ts';
import { failureOf, scratch, valueOf } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';

/** A memory file system of that size; it goes with the test. */
function mounted(options: string, at = scratch()): string {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'autark-test', at]);
  onTestFinished(() => {
    execFileSync('umount', [at]);
  });
  return at;
}

const fill = (folder: string): void => {
  try {
    writeFileSync(join(folder, 'filler'), Buffer.alloc(64 * 1024 * 1024));
  } catch {
    // As much as there is room for was written.
  }
};

describeWith(['root'], 'on a full disk', () => {
  test('a write fails as no-space, leaves the old file whole and nothing else behind', async () => {
    const folder = mounted('size=256k');
    const path = join(folder, 'a');
    valueOf(await writeDurably(path, Buffer.from('old'), 0o600));
    const failure = failureOf(await writeDurably(path, Buffer.alloc(1024 * 1024), 0o600));
    expect(failure).toMatchObject({ kind: 'no-space', where: path });
    expect(failure.remedy).toMatch(/free some space/);
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['a']);
    valueOf(await writeDurably(path, Buffer.from('new'), 0o600));
  });

  test('so does one without inodes', async () => {
    const folder = mounted('size=1m,nr_inodes=4');
    for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, name), '');
    expect(failureOf(await writeDurably(join(folder, 'a'), Buffer.from('x'), 0o600)).kind).toBe('no-space');
    expect(readdirSync(folder).sort()).toEqual(['a', 'b', 'c']);
  });

  test('journal, outbox and systems say no-space, and what they had stays', async () => {
    const state = mounted('size=256k,mode=0700');
    const journals = fileJournals(state);
    valueOf(await journals.save(fullJournal));
    fill(state);
    expect(failureOf(await journals.save({ ...fullJournal, host: 'web2' })).kind).toBe('no-space');
    expect(valueOf(await journals.load())).toEqual(fullJournal);
    const entry = { seq: 1, id: 'a'.repeat(40) };
    const outbox = fileOutbox(state);
    expect(failureOf(await outbox.add(entry, [{ type: 'blob', bytes: Buffer.alloc(9999, 'x') }])).kind).toBe(
      'no-space',
    );
    expect(await outbox.list()).toEqual([]);
    const systems = fileSystems({ state, random: systemRandom(), searchPath: '/usr/bin:/bin' });
    const generation = {
      number: 1,
      revision: 'a'.repeat(40),
      kind: 'exec',
      path: '/x',
      digest: 'd',
    } as const;
    expect(failureOf(await systems.register(generation)).kind).toBe('no-space');
    expect(await systems.generations()).toEqual([]);
  });

  test('the machine knows that it is full: of bytes or of inodes', async () => {
    const isFull = (state: string): Promise<boolean> => linuxMachine({ root: '/', state }).isFull();
    expect(await isFull(mounted('size=900k'))).toBe(true);
    const roomy = mounted('size=4m');
    expect(await isFull(roomy)).toBe(false);
    fill(roomy);
    expect(await isFull(roomy)).toBe(true);
    expect(await isFull(mounted('size=4m,nr_inodes=1'))).toBe(true);
    expect(await isFull(mounted('size=4m,nr_inodes=0'))).toBe(false);
  });
});

describeWith(['root'], 'on other file systems', () => {
  test('a read-only one is named with what to do', async () => {
    const folder = mounted('size=1m');
    writeFileSync(join(folder, 'a'), 'old');
    execFileSync('mount', ['-o', 'remount,ro', folder]);
    const failure = failureOf(await writeDurably(join(folder, 'a'), Buffer.from('x'), 0o600));
    expect(failure).toMatchObject({
      kind: 'unexpected',
      cause: 'cannot write a: the file system is read-only',
    });
    expect(failure.remedy).toMatch(/remount/);
  });

  test('removing a system does not enter what is mounted in it', async () => {
    const folder = scratch();
    mkdirSync(join(folder, 'system/mount'), { recursive: true });
    mounted('size=1m', join(folder, 'system/mount'));
    writeFileSync(join(folder, 'system/mount/precious'), '');
    await expect(removeTree(join(folder, 'system'))).rejects.toThrow(/mounted at .*system\/mount/);
    expect(readdirSync(join(folder, 'system/mount'))).toEqual(['precious']);
  });
});
