import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileOutbox } from '../../agent/adapters/outbox.ts';
import { type GitObject, objectId } from '../../shared/objects/object.ts';
import { failureOf, scratch, valueOf } from '../agent/adapters/scratch.ts';

const blob = (text: string): GitObject => ({ type: 'blob', bytes: new TextEncoder().encode(text) });
const id = (digit: string): string => digit.repeat(40);

describe('the outbox', () => {
  test('is empty before anything is in it', async () => {
    expect(await fileOutbox(scratch()).list()).toEqual([]);
  });

  test('keeps entries by number, oldest first, also across nine digits', async () => {
    const state = scratch();
    for (const [seq, digit] of [
      [12, 'b'],
      [2, 'c'],
      [100_000_000, 'd'],
      [99_999_999, 'a'],
    ] as const) {
      valueOf(await fileOutbox(state).add({ seq, id: id(digit) }, [blob(digit)]));
    }
    expect(await fileOutbox(state).list()).toEqual([
      { seq: 2, id: id('c') },
      { seq: 12, id: id('b') },
      { seq: 99_999_999, id: id('a') },
      { seq: 100_000_000, id: id('d') },
    ]);
    expect(readdirSync(join(state, 'outbox'))).toContain(`00000002-${id('c')}.pack`);
    expect(statSync(join(state, 'outbox')).mode & 0o777).toBe(0o700);
  });

  test('holds packs that git reads', async () => {
    const state = scratch();
    const objects = [blob('one\n'), blob(''), blob('x'.repeat(100_000))];
    const entry = { seq: 1, id: id('1') };
    valueOf(await fileOutbox(state).add(entry, objects));
    const repository = join(scratch(), 'r.git');
    execFileSync('git', ['init', '-q', '--bare', repository]);
    execFileSync('git', ['-C', repository, 'unpack-objects', '-q'], {
      input: valueOf(await fileOutbox(state).pack(entry)),
    });
    for (const object of objects) {
      const read = execFileSync('git', ['-C', repository, 'cat-file', 'blob', objectId(object)]);
      expect(read.equals(object.bytes)).toBe(true);
    }
  });

  test('takes the same entry twice, and drops it twice', async () => {
    const outbox = fileOutbox(scratch());
    const entry = { seq: 1, id: id('1') };
    valueOf(await outbox.add(entry, [blob('a')]));
    valueOf(await outbox.add(entry, [blob('a')]));
    expect(await outbox.list()).toEqual([entry]);
    await outbox.drop(entry);
    await outbox.drop(entry);
    expect(await outbox.list()).toEqual([]);
  });

  test('leaves foreign files alone', async () => {
    const state = scratch();
    mkdirSync(join(state, 'outbox'));
    const foreign = [
      'README',
      `1-${id('a')}.pack`,
      `000000001-${id('a')}.pack`,
      `00000001-${id('A')}.pack`,
      `00000001-${id('a')}.pack.old`,
      `.00000001-${id('a')}.pack`,
    ];
    for (const name of foreign) writeFileSync(join(state, 'outbox', name), 'foreign');
    expect(await fileOutbox(state).list()).toEqual([]);
    await fileOutbox(state).drop({ seq: 1, id: id('a') });
    expect(readdirSync(join(state, 'outbox')).sort()).toEqual([...foreign].sort());
  });

  test('says so when an entry is gone', async () => {
    const state = scratch();
    const outbox = fileOutbox(state);
    const entry = { seq: 1, id: id('1') };
    expect(failureOf(await outbox.pack(entry)).cause).toMatch(/is gone/);
  });

  test('gives no damaged pack to git', async () => {
    const state = scratch();
    const outbox = fileOutbox(state);
    const entry = { seq: 1, id: id('1') };
    valueOf(await outbox.add(entry, [blob('content')]));
    const path = join(state, 'outbox', `00000001-${id('1')}.pack`);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at += 1) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      writeFileSync(path, damaged);
      expect(failureOf(await outbox.pack(entry)).where).toBe(path);
      writeFileSync(path, whole.subarray(0, at));
      expect(failureOf(await outbox.pack(entry)).cause).toMatch(/is damaged/);
    }
  });

  test('does not pass an unreadable folder off as an empty one', async () => {
    const state = scratch();
    writeFileSync(join(state, 'outbox'), 'a file');
    await expect(fileOutbox(state).list()).rejects.toThrow(/ENOTDIR/);
  });
});
