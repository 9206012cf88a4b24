import { describe, expect, test } from 'vitest';
import type { Ledger } from '../../../shared/record/ledger.ts';
import {
  begunAnew,
  knownToBoth,
  mergedRuns,
  withEnded,
  withExamined,
  realRuns,
  withStarted,
  withWithdrawn,
} from '../../../shared/record/ledger-runs.ts';
import { parseLedger, serialiseLedger } from '../../../shared/record/parse-ledger.ts';
import type { ExaminedDevice, StepRun } from '../../../shared/record/step-run.ts';

const empty: Ledger = {
  ...{ format: 1, fleet: 'f', host: 'web1', readers: [], disks: [], backups: {} },
  begun: { seq: 1, installation: 'one' },
};
const begins = (step: string, began: string): Omit<StepRun, 'outcome'> => ({
  ...{ step, began, approval: null, program: 'a'.repeat(40), revision: 'b'.repeat(40) },
});
const result = { outcome: 'done', ended: '2026-11-29T00:01:00Z', how: 'it exited with code 0' } as const;

describe('the runs of a ledger', () => {
  test('are begun, ended, and read back as they were written', () => {
    const started = withStarted(empty, begins('format', '2026-11-29T00:00:00Z'));
    expect(started.runs).toEqual([{ ...begins('format', '2026-11-29T00:00:00Z'), outcome: 'started' }]);
    const ended = withEnded(started, 'format', { ...result, output: 'x', yields: { key: 'AA==' } });
    expect(ended.runs).toEqual([
      { ...begins('format', '2026-11-29T00:00:00Z'), ...result, output: 'x', yields: { key: 'AA==' } },
    ]);
    expect(parseLedger(serialiseLedger(ended))).toEqual({ ok: true, value: ended });
  });

  test('a result is given once, to the run that has none', () => {
    const failed = withEnded(withStarted(empty, begins('format', '1')), 'format', {
      ...result,
      outcome: 'failed',
    });
    expect(withEnded(failed, 'format', result)).toBe(failed);
    expect(withEnded(empty, 'format', result)).toBe(empty);
    const again = withEnded(withStarted(failed, begins('format', '2')), 'format', result);
    expect(again.runs?.map(({ outcome }) => outcome)).toEqual(['failed', 'done']);
  });

  test('only an intent without a result can be withdrawn, and counts for nothing then', () => {
    const first = withStarted(empty, begins('format', '1'));
    const withdrawn = withWithdrawn(first, 'format', '2');
    expect(withdrawn.runs).toEqual([{ ...begins('format', '1'), outcome: 'withdrawn', ended: '2' }]);
    expect(realRuns(withdrawn)).toEqual([]);
    expect(realRuns(first)).toEqual(first.runs);
    expect(withWithdrawn(first, 'install', '2')).toBe(first);
    const ended = withEnded(first, 'format', result);
    expect(withWithdrawn(ended, 'format', '2')).toBe(ended);
    expect(parseLedger(serialiseLedger(withdrawn))).toEqual({ ok: true, value: withdrawn });
    // The record of the intent does not bring it back.
    expect(mergedRuns(first.runs ?? [], withdrawn.runs ?? [])).toEqual(withdrawn.runs);
  });

  test('two copies cover no more than either, whichever of them was begun later', () => {
    const anew = begunAnew(empty, { seq: 9, installation: 'one' });
    expect([anew.begun.seq, anew.readers]).toEqual([9, empty.readers]);
    expect(knownToBoth(anew, empty)).toEqual({ begun: anew.begun });
    expect(knownToBoth(empty, anew)).toEqual({ begun: anew.begun });
    const ran = withStarted(empty, begins('format', '1'));
    expect(knownToBoth(anew, ran)).toEqual({ begun: anew.begun, runs: ran.runs });
  });

  test('of two copies of a ledger nothing is forgotten, and a result outweighs an intent', () => {
    const started: StepRun = { ...begins('format', '1'), outcome: 'started' };
    const done: StepRun = { ...begins('format', '1'), ...result };
    const later: StepRun = { ...begins('install', '2'), outcome: 'started' };
    expect(mergedRuns([started], [done, later])).toEqual([done, later]);
    expect(mergedRuns([done, later], [started])).toEqual([done, later]);
    expect(mergedRuns([], [done, later])).toEqual([done, later]);
    expect(mergedRuns([done], [])).toEqual([done]);
  });
});

test('a look that finds a disk as it was changes nothing, and another one does', () => {
  const seen: ExaminedDevice = { at: '1', failed: 'no such disk' };
  const first = withExamined(empty, { '/dev/disk/by-id/a': seen });
  expect(first.examined).toEqual({ '/dev/disk/by-id/a': seen });
  expect(withExamined(first, { '/dev/disk/by-id/a': { ...seen, at: '2' } }).examined).toEqual(first.examined);
  const other = { at: '2', failed: 'it cannot be read' };
  expect(withExamined(first, { '/dev/disk/by-id/a': other }).examined).toEqual({
    '/dev/disk/by-id/a': other,
  });
  expect(withExamined(empty, {})).toBe(empty);
});

test('what is written on a disk in use is no news, and on any other it is', () => {
  const path = '/dev/disk/by-id/a';
  const disk = {
    ...{
      name: 'sda',
      ids: ['a'],
      model: null,
      serial: 'S3R1AL',
      size: 1,
      table: null,
      partitions: [],
      signatures: [],
    },
  };
  const seen = (uses: readonly string[], samples: string): ExaminedDevice => ({
    at: samples,
    seen: {
      disk: { ...disk, uses },
      layout: 'l',
      samples,
      looks: 'data',
      isExclusive: uses.length === 0,
      found: [],
    },
  });
  const used = ['sda is mounted at /srv'];
  const first = withExamined(empty, { [path]: seen(used, '1') });
  expect(withExamined(first, { [path]: seen(used, '2') }).examined).toEqual(first.examined);
  const freed = withExamined(first, { [path]: seen([], '2') });
  expect(freed.examined).toEqual({ [path]: seen([], '2') });
  expect(withExamined(freed, { [path]: seen([], '3') }).examined).toEqual({ [path]: seen([], '3') });
});
