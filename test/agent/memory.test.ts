import { beforeEach, describe, expect, test } from 'vitest';
import { type Memory, openMemory } from '../../agent/memory.ts';
import type { Journals, Locks } from '../../agent/ports.ts';
import type { Journal } from '../../shared/cycle/journal.ts';
import { fail, ok, type Result } from '../../shared/failure.ts';
import { failureOf, valueOf } from './adapters/scratch.ts';
import { fullJournal } from './adapters/journals.ts';

const full = fail({ kind: 'no-space', cause: 'full', remedy: 'make room' } as const);
const { signal } = new AbortController();

let disk: Journal | null;
let saves: Journal[];
/** What the next save gives instead of success. */
let refusal: Result<void> | undefined;
/** Holds saves up until it is resolved. */
let gate: Promise<void>;
let held: number;
let memory: Memory;

const journals: Journals = {
  load: () => Promise.resolve(ok(disk)),
  async save(journal) {
    await gate;
    const result = refusal ?? ok(undefined);
    if (result.ok) {
      disk = journal;
      saves.push(journal);
    }
    return result;
  },
};
const locks: Locks = {
  acquire: (name, bounds) => {
    expect([name, bounds.timeout]).toEqual(['cycle', 60_000]);
    held += 1;
    return Promise.resolve(ok(() => Promise.resolve(void (held -= 1))));
  },
};

beforeEach(async () => {
  disk = fullJournal;
  saves = [];
  refusal = undefined;
  gate = Promise.resolve();
  held = 0;
  memory = valueOf(await openMemory(journals, locks));
});

test('without a journal nothing may follow (P4)', async () => {
  disk = null;
  expect(failureOf(await openMemory(journals, locks)).kind).toBe('held');
});

test('a journal that cannot be read is its own failure', async () => {
  const opened = await openMemory({ ...journals, load: () => Promise.resolve(full) }, locks);
  expect(failureOf(opened)).toEqual(full.failure);
});

test('an idle look takes no lock and writes nothing', async () => {
  expect(memory.journal).toEqual(fullJournal);
  await memory.release();
  expect([held, saves]).toEqual([0, []]);
});

test('whoever acts holds the lock, once, and reads the journal anew', async () => {
  disk = { ...fullJournal, seq: 500 };
  expect(memory.journal.seq).toBe(fullJournal.seq);
  valueOf(await memory.hold(signal));
  valueOf(await memory.hold(signal));
  expect([held, memory.journal.seq]).toEqual([1, 500]);
  await memory.release();
  expect(held).toBe(0);
});

test('a lock that somebody else keeps is the failure', async () => {
  const busy = fail({ kind: 'locked', cause: 'c', remedy: 'r' } as const);
  const waiting = valueOf(await openMemory(journals, { acquire: () => Promise.resolve(busy) }));
  expect(await waiting.hold(signal)).toEqual(busy);
});

test('a journal that became unreadable meanwhile is the failure, and the lock is given back', async () => {
  disk = null;
  expect(failureOf(await memory.hold(signal)).kind).toBe('held');
  await memory.release();
  expect(held).toBe(0);
});

describe('a write', () => {
  beforeEach(async () => {
    valueOf(await memory.hold(signal));
  });

  test('is on disk when it resolves, and seen by all', async () => {
    valueOf(await memory.write({ seq: 200 }));
    expect([disk?.seq, memory.journal.seq]).toEqual([200, 200]);
  });

  test('that fails is not remembered either', async () => {
    refusal = full;
    expect(await memory.write({ seq: 200 })).toEqual(full);
    expect(memory.journal).toEqual(fullJournal);
    refusal = undefined;
    valueOf(await memory.write({ previous: 7 }));
    expect([disk?.seq, disk?.previous]).toEqual([fullJournal.seq, 7]);
  });

  test('at the same time as another one loses neither', async () => {
    const results = await Promise.all([
      memory.write({ seq: 200 }),
      memory.write({ previous: 7 }),
      memory.write({ seq: 201 }),
    ]);
    expect(results.every((result) => result.ok)).toBe(true);
    expect(saves.map(({ seq, previous }) => [seq, previous])).toEqual([
      [200, fullJournal.previous],
      [200, 7],
      [201, 7],
    ]);
  });

  test('is waited for before the lock is given back', async () => {
    let open: () => void = () => undefined;
    gate = new Promise((resolve) => (open = resolve));
    const writing = memory.write({ seq: 200 });
    const released = memory.release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(held).toBe(1);
    open();
    await Promise.all([writing, released]);
    expect([held, disk?.seq]).toEqual([0, 200]);
  });
});

test('a write without the lock is a bug', async () => {
  await expect(memory.write({ seq: 200 })).rejects.toThrow(/cycle\.lock/);
});

describe('what is remembered', () => {
  beforeEach(async () => {
    valueOf(await memory.hold(signal));
  });

  test('is known at once and reaches the disk with the next write', async () => {
    memory.remember({ accepted: '9'.repeat(40) });
    expect([memory.journal.accepted, saves.length]).toEqual(['9'.repeat(40), 0]);
    valueOf(await memory.write({ seq: 200 }));
    expect(saves.map(({ accepted, seq }) => [accepted, seq])).toEqual([['9'.repeat(40), 200]]);
    await memory.release();
    expect(saves).toHaveLength(1);
  });

  test('reaches it at the latest when the lock is given back', async () => {
    memory.remember({ accepted: '9'.repeat(40) });
    await memory.release();
    expect([disk?.accepted, held]).toEqual(['9'.repeat(40), 0]);
  });

  test('while a write is under way is lost by nothing (P1)', async () => {
    let open: () => void = () => undefined;
    gate = new Promise((resolve) => (open = resolve));
    const writing = memory.write({ seq: 200 });
    await new Promise((resolve) => setImmediate(resolve));
    memory.remember({ accepted: '9'.repeat(40) });
    open();
    valueOf(await writing);
    expect(memory.journal).toMatchObject({ accepted: '9'.repeat(40), seq: 200 });
    await memory.release();
    expect(disk).toMatchObject({ accepted: '9'.repeat(40), seq: 200 });
  });

  test('survives a write that failed', async () => {
    memory.remember({ accepted: '9'.repeat(40) });
    refusal = full;
    await memory.write({ seq: 200 });
    refusal = undefined;
    await memory.release();
    expect(disk).toMatchObject({ accepted: '9'.repeat(40), seq: fullJournal.seq });
  });
});

test('the lock is given back even if the last write throws', async () => {
  valueOf(await memory.hold(signal));
  memory.remember({ seq: 200 });
  gate = Promise.reject(new Error('a bug'));
  await memory.release().catch(() => undefined);
  expect(held).toBe(0);
});
