import { describe, expect, test } from 'vitest';
import type { Journal } from '../../../shared/cycle/journal.ts';
import type { Phase } from '../../../shared/cycle/phase.ts';
import { parseJournal, serialiseJournal } from '../../../shared/cycle/parse-journal.ts';
import { fullJournal, phases } from '../../agent/adapters/journals.ts';
import { failureOf, valueOf } from '../../agent/adapters/scratch.ts';

const where = '/var/lib/autark/journal.json';
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

describe('a journal', () => {
  test.each(phases.map((phase): [string, Phase] => [phase.at, phase]))(
    'comes back whole in phase %s',
    (_at, phase) => {
      const journal = { ...fullJournal, phase };
      expect(parseJournal(serialiseJournal(journal), where)).toEqual({ ok: true, value: journal });
    },
  );

  test('comes back whole without anything that may be absent', () => {
    const bare: Journal = {
      ...fullJournal,
      accepted: null,
      delivered: null,
      running: null,
      previous: null,
      lastGood: null,
      rebootRequired: null,
      standing: null,
      phase: { at: 'build', revision: 'a'.repeat(40), path: '/var/lib/autark/systems/1' },
    };
    expect(valueOf(parseJournal(serialiseJournal(bare), where))).toEqual(bare);
  });

  test.each(phases)('cut off anywhere in phase $at is held or the same, and never throws', (phase) => {
    const journal = { ...fullJournal, phase };
    const bytes = serialiseJournal(journal);
    for (let length = 0; length < bytes.length; length += 1) {
      const result = parseJournal(bytes.subarray(0, length), where);
      if (result.ok) expect(result.value).toEqual(journal);
      else expect(result.failure).toMatchObject({ kind: 'held', where });
    }
  });

  test('any byte changed to NUL or to a byte outside UTF-8 is held', () => {
    const bytes = serialiseJournal(fullJournal);
    for (let at = 0; at < bytes.length; at += 1) {
      for (const byte of [0, 0xff]) {
        const damaged = bytes.slice();
        damaged[at] = byte;
        // The last byte is the line end: whatever follows the closing brace but blanks is not JSON.
        expect(failureOf(parseJournal(damaged, where)).kind).toBe('held');
      }
    }
  });
});

/** Keys that the first journals of this format did not have. */
const young = new Set([
  ...['floors', 'reports', 'diverged', 'restoredAt'],
  ...['earlier', 'heldByHand'],
  ...['key', 'replaced', 'replaces', 'follows', 'successor'],
  ...['failed', 'failedTrial', 'drift', 'corrections', 'unproved', 'readers', 'disks', 'unsettled'],
]);

test('a journal from before a key was thought of knows nothing of it', () => {
  const old = Object.fromEntries(Object.entries(fullJournal).filter(([name]) => !young.has(name)));
  const nothing = {
    ...{ floors: [], reports: [], diverged: null, restoredAt: null },
    ...{ earlier: [], heldByHand: false },
    ...{ key: null, replaced: null, replaces: null, follows: false, successor: null },
    ...{ failed: null, failedTrial: null, drift: null, corrections: null, unproved: null },
    ...{ readers: null, disks: null, unsettled: null },
  };
  expect(valueOf(parseJournal(encode(old), where))).toEqual({ ...old, ...nothing });
});

test.each(['switch', 'confirm', 'rollback'])(
  'phase %s of an agent that remembered no failed systems says nothing of what it tries',
  (at) => {
    const phase = phases.find((one) => one.at === at && 'tried' in one);
    if (phase === undefined || !('tried' in phase)) throw new Error(`no phase ${at} says what it tries`);
    const { tried, ...old } = phase;
    expect(tried).toBeDefined();
    expect(valueOf(parseJournal(encode({ ...fullJournal, phase: old }), where)).phase).toEqual(old);
  },
);

test('keys of a newer agent are dropped: a machine that goes back from it has to go on', () => {
  const { running, pace, failed } = fullJournal;
  const newer = {
    ...{ ...fullJournal, extra: 1 },
    running: { ...running, extra: 1 },
    pace: { ...pace, extra: { of: 'it' } },
    failed: { ...failed, extra: [] },
  };
  expect(valueOf(parseJournal(encode(newer), where))).toEqual(fullJournal);
  for (const phase of phases) {
    const said = { ...fullJournal, phase: { ...phase, extra: 1 } };
    expect(valueOf(parseJournal(encode(said), where))).toEqual({ ...fullJournal, phase });
  }
});

describe('a journal is held when', () => {
  const held = (value: unknown): string => {
    const failure = failureOf(parseJournal(encode(value), where));
    expect(failure.kind).toBe('held');
    expect(failure.remedy).toMatch(/deploys nothing until/);
    expect(failure.remedy).toMatch(/root restores the file/);
    expect(failure.remedy).toMatch(/enrol/);
    return failure.cause;
  };

  test('it is empty', () => {
    expect(failureOf(parseJournal(new Uint8Array(), where)).cause).toMatch(/empty/);
  });

  test.each([[null], [[]], ['text'], [7], [{}], [{ format: '1' }]])('it is %j', (value) => {
    held(value);
  });

  test('its format is newer, and it says to upgrade', () => {
    const failure = failureOf(parseJournal(encode({ ...fullJournal, format: 2 }), where));
    expect(failure).toMatchObject({ kind: 'held', where });
    expect(failure.cause).toMatch(/format 2/);
    expect(failure.remedy).toMatch(/upgraded/);
  });

  test('a key is missing', () => {
    for (const key of Object.keys(fullJournal).filter((name) => !young.has(name))) {
      held(Object.fromEntries(Object.entries(fullJournal).filter(([name]) => name !== key)));
    }
  });

  test.each([
    ['genesis', 'main'],
    ['genesis', 'A'.repeat(40)],
    ['accepted', ''],
    ['tip', 'a'.repeat(39)],
    ['seq', -1],
    ['seq', 1.5],
    ['seq', 2 ** 53],
    ['previous', 0],
    ['approved', 'yes'],
    ['format', 0],
    ['failed', { revision: 'a'.repeat(40) }],
    ['failed', { ...fullJournal.failed, attempts: 0 }],
    ['phase', { at: 'sleep' }],
    ['phase', { at: 'switch' }],
  ])('%s is %j', (key, value) => {
    expect(held({ ...fullJournal, [key]: value })).toContain(key === 'format' ? '' : key);
  });

  test('a failure in it is of no known kind', () => {
    const phase = phases.find((one) => one.at === 'rollback');
    if (phase?.at !== 'rollback') throw new Error('no such phase');
    const kinds = ['constructor', 'toString', '', 4];
    for (const kind of kinds)
      held({ ...fullJournal, phase: { ...phase, failure: { ...phase.failure, kind } } });
  });

  test('it repeats nothing of a damaged file', () => {
    expect(held({ ...fullJournal, host: { '\u001b[2J': 'secret' } })).not.toMatch(/secret|\u001b/);
  });
});
