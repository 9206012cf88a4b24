import { describe, expect, test } from 'vitest';
import {
  failedBefore,
  forgotten,
  refusal,
  triedOf,
  weigh,
  type Undone,
} from '../../../shared/cycle/failed.ts';
import type { FailedSystem } from '../../../shared/cycle/journal.ts';
import { attempts, type Tried } from '../../../shared/cycle/phase.ts';
import type { Failure } from '../../../shared/failure.ts';
import { fullJournal } from '../../agent/adapters/journals.ts';

const [first, second] = ['a'.repeat(40), 'b'.repeat(40)];
const tried: Tried = { digest: 'd1', path: '/systems/1', terms: 't1' };
const bad: Failure = { kind: 'switch-failed', cause: 'it failed', where: '/x', remedy: 'mend it' };
const cutOff: Failure = { kind: 'unreachable', cause: 'no server', remedy: 'wait' };
const full: Failure = { kind: 'no-space', cause: 'the disk is full', remedy: 'make room' };
const nothing = { failed: null, failedTrial: null };

const at = (revision: string) => ({ revision, isTrial: false });
const trialOf = (revision: string) => ({ revision, isTrial: true });
const undone = (change: Partial<Undone> = {}): Undone => ({
  ...{ aim: at(first), tried, failure: bad, now: 7 },
  ...change,
});
interface Memory {
  readonly failed: FailedSystem | null;
  readonly failedTrial: FailedSystem | null;
}
/** What the journal has after these, one after the other. */
const after = (...all: readonly Undone[]): Memory =>
  all.reduce<Memory>((memory, each) => ({ ...memory, ...weigh(memory, each).change }), nothing);

describe('a system that failed', () => {
  test('is remembered with its revision, its attempts, its code and the cause', () => {
    const { failure, change } = weigh(nothing, undone());
    expect(failure).toEqual(bad);
    expect(change).toEqual({
      failed: { ...tried, revision: first, attempts: 1, code: 40, cause: 'it failed', at: 7 },
    });
  });

  test.each<Failure['kind']>(['switch-failed', 'switch-stuck'])(
    'is refused under any revision after %s, and its revision under any system',
    (kind) => {
      const memory = after(undone({ failure: { ...bad, kind } }));
      expect(failedBefore(memory, at(second), tried)).toBe(memory.failed);
      expect(failedBefore(memory, at(second), { ...tried, path: '/systems/2' })).toBe(memory.failed);
      expect(failedBefore(memory, at(first))).toBe(memory.failed);
      expect(failedBefore(memory, at(first), { ...tried, digest: 'd2' })).toBe(memory.failed);
    },
  );

  test('is tried as another one, on other terms, and by a newer revision that nobody has built yet', () => {
    const memory = after(undone());
    expect(failedBefore(memory, at(second))).toBeUndefined();
    expect(failedBefore(memory, at(second), { ...tried, digest: 'd2' })).toBeUndefined();
    expect(failedBefore(memory, at(second), { ...tried, terms: 't2' })).toBeUndefined();
    expect(failedBefore(nothing, at(first), tried)).toBeUndefined();
  });

  test('gives way to the next that fails', () => {
    const memory = after(undone(), undone({ aim: at(second), tried: { ...tried, digest: 'd2' } }));
    expect(memory.failed).toMatchObject({ revision: second, digest: 'd2', attempts: 1 });
    expect(failedBefore(memory, at(first), tried)).toBeUndefined();
  });

  test('is not remembered by an agent that does not know what was tried', () => {
    const remembered = after(undone());
    expect(weigh(remembered, undone({ aim: at(second), tried: undefined }))).toEqual({
      ...{ failure: bad, change: {} },
    });
  });
});

describe.each([
  ['the server is away', cutOff, 50],
  ['the disk is full', full, 52],
])('where %s', (_when, failure, code) => {
  test('a system is tried again until that came up too often, and counts as failed then', () => {
    expect(attempts.world).toBe(3);
    const twice = after(undone({ failure }), undone({ failure }));
    expect(twice.failed).toMatchObject({ attempts: 2, code });
    expect(failedBefore(twice, at(first), tried)).toBeUndefined();
    const third = weigh(twice, undone({ failure, aim: at(second) }));
    expect(third.failure).toMatchObject({ kind: 'switch-failed' });
    expect(third.failure.cause).toContain(failure.cause);
    expect(third.failure.cause).toMatch(/attempt 3 of this system/);
    expect(third.failure.remedy).toMatch(/another system.*`autark resume`/);
    const memory = { ...twice, ...third.change };
    expect(memory.failed).toMatchObject({ attempts: 3, code: 40, revision: second });
    expect(failedBefore(memory, at(second), tried)).toBe(memory.failed);
  });

  test('a revision whose builds are never the same is counted all the same', () => {
    const builds = ['d1', 'd2', 'd3'].map((digest) => undone({ failure, tried: { ...tried, digest } }));
    expect(after(...builds).failed).toMatchObject({ attempts: 3, code: 40 });
  });

  test('another system begins anew', () => {
    const other = undone({ failure, aim: at(second), tried: { ...tried, digest: 'd2' } });
    expect(after(undone({ failure }), undone({ failure }), other).failed).toMatchObject({
      ...{ attempts: 1, code },
    });
  });

  test('a failure of the system itself counts at once', () => {
    expect(after(undone({ failure }), undone()).failed).toMatchObject({ attempts: 2, code: 40 });
  });
});

describe('a trial that failed', () => {
  test('is known by its revision alone, and keeps no head from being tried', () => {
    const memory = after(undone({ aim: trialOf(first) }));
    expect(memory.failed).toBeNull();
    expect(failedBefore(memory, trialOf(first))).toBe(memory.failedTrial);
    expect(failedBefore(memory, trialOf(second), tried)).toBeUndefined();
    expect(failedBefore(memory, at(second), tried)).toBeUndefined();
  });

  test('is tried though the same system failed at the head, and leaves that remembered', () => {
    const memory = after(undone(), undone({ aim: trialOf(second) }));
    expect(failedBefore(after(undone()), trialOf(second), tried)).toBeUndefined();
    expect(failedBefore(memory, at(second), tried)).toBe(memory.failed);
  });

  test('counts what the world did for each revision', () => {
    const once = undone({ aim: trialOf(first), failure: cutOff });
    expect(after(once, once, once).failedTrial).toMatchObject({ attempts: 3, code: 40 });
    expect(after(once, once, { ...once, aim: trialOf(second) }).failedTrial).toMatchObject({
      ...{ attempts: 1, code: 50 },
    });
  });
});

test('what a host is judged by is part of what it tries: checks, time and manner, and nothing else', () => {
  const timeouts = { fetch: 1, build: 2, switch: 3 };
  const host = { health: [], timeouts, activate: 'switch' } as const;
  const built = { kind: 'exec', path: '/systems/1', digest: 'd1' } as const;
  const check = { kind: 'tcp', port: 443, timeout: 1, retries: 0, soak: 0, host: 'localhost' } as never;
  const { terms } = triedOf(built, host);
  expect(triedOf(built, host)).toEqual({ digest: 'd1', path: '/systems/1', terms });
  expect(triedOf(built, { ...host, timeouts: { ...timeouts, fetch: 9, build: 9 } }).terms).toBe(terms);
  const others = [
    { ...host, health: [check] },
    { ...host, timeouts: { ...timeouts, switch: 4 } },
    { ...host, activate: 'boot' } as const,
  ];
  expect(new Set([terms, ...others.map((other) => triedOf(built, other).terms)]).size).toBe(4);
});

test('with another agent or other secrets the same system is another thing to try', () => {
  const host = { health: [], timeouts: { fetch: 1, build: 2, switch: 3 }, activate: 'switch' } as const;
  const built = { kind: 'exec', path: '/systems/1', digest: 'd1' } as const;
  const variants = [
    built,
    { ...built, agent: 'a1' },
    { ...built, secrets: 's1' },
    { ...built, secrets: 's2' },
  ];
  expect(new Set(variants.map((each) => triedOf(each, host).digest)).size).toBe(4);
});

describe('a refusal', () => {
  const failed: FailedSystem = { ...tried, revision: first, attempts: 1, code: 40, cause: 'X', at: 7 };

  test('says which revision failed and why, and what to do', () => {
    const { kind, cause, where, remedy } = refusal(failed, at(second));
    expect(kind).toBe('switch-failed');
    expect(cause).toBe(
      'the system of this revision is not activated, for it failed on this host before, at aaaaaaa: X',
    );
    expect(where).toBe(`revision ${first}`);
    expect(remedy).toMatch(/^push a revision that changes the system.*`autark resume`/);
    expect(refusal(failed, at(first)).cause).toMatch(/^this revision is not activated/);
  });

  test('of one that could not be gone back from goes on to be 41', () => {
    const { kind, remedy } = refusal({ ...failed, code: 41 }, at(second));
    expect(kind).toBe('switch-stuck');
    expect(remedy).toMatch(/^look at the machine first.*`autark resume`/);
  });
});

describe('resume', () => {
  test('forgets what failed and has what stands looked at again, without a second record of it', () => {
    const { standing, trial } = fullJournal;
    expect(forgotten(fullJournal)).toEqual({
      ...nothing,
      standing: { ...standing, until: 0 },
      trial: { ...trial, until: 0 },
    });
    expect(forgotten({ ...fullJournal, standing: null, trial: null })).toMatchObject({
      ...{ standing: null, trial: null },
    });
  });

  test('changes nothing where nothing failed', () => {
    expect(forgotten({ ...fullJournal, ...nothing })).toBeUndefined();
    expect(forgotten({ ...fullJournal, failed: null })).toBeDefined();
  });
});
