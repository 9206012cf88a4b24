import { describe, expect, test } from 'vitest';
import type { Generation, Journal } from '../../../shared/cycle/journal.ts';
import { withoutReports, withReport } from '../../../shared/cycle/reports.ts';
import { learn, newestOf, runningByRecord } from '../../../shared/cycle/restore.ts';
import type { OwnRecord } from '../../../shared/record/own-record.ts';
import { mostReports } from '../../../shared/record/status.ts';
import { fullJournal } from '../../agent/adapters/journals.ts';

const [first, second, third] = ['1'.repeat(40), '2'.repeat(40), '3'.repeat(40)];
const path = '/var/lib/autark/systems/7f';
const record = (accepted: string | null, generation: number | null = null): OwnRecord => ({
  ...{ id: third, seq: 9, at: '2027-01-05T08:00:00Z', event: 'deployed', installation: 'i', accepted },
  system:
    generation === null
      ? null
      : { kind: 'exec', path, generation, revision: second, since: '2027-01-05T08:00:00Z' },
});
const onDisk = (number: number): Generation => ({
  ...{ kind: 'exec', path: '/moved/systems/7f', digest: 'd', number, revision: first },
});
const { running } = fullJournal;
const journal: Journal = { ...fullJournal, accepted: first, floors: [], newest: 3 };

describe('what an old journal learns', () => {
  test('is each accepted revision once, besides its own, and what it learnt before (S2)', () => {
    const records = [record(third), record(second), record(second), record(first), record(null)];
    const learnt = learn({ ...journal, floors: ['4'.repeat(40)] }, { records, generations: [] });
    expect(learnt.floors).toEqual(['4'.repeat(40), third, second]);
  });

  test('is that no number is given twice, by the records or by the disk', () => {
    expect(learn(journal, { records: [record(first, 8)], generations: [] }).newest).toBe(8);
    expect(learn(journal, { records: [], generations: [onDisk(5)] }).newest).toBe(5);
    expect(learn(journal, { records: [record(first, 2)], generations: [onDisk(1)] }).newest).toBe(3);
    expect(newestOf([], [])).toBe(0);
  });

  test('is what runs, once the disk is newer; it is equal to nothing that is ever built', () => {
    const newer = learn(journal, { records: [record(first, 5)], generations: [onDisk(5)] });
    expect(newer.running).toMatchObject({ generation: 5, revision: second, digest: 'uncertain' });
    const unsure = learn(journal, { records: [record(first, 6)], generations: [onDisk(5)] });
    expect(unsure.running).toMatchObject({ generation: running?.generation, digest: 'uncertain' });
    expect(learn(journal, { records: [record(first, 5)], generations: [onDisk(3)] })).not.toHaveProperty(
      'running',
    );
  });

  test('twice, changes nothing more', () => {
    const evidence = { records: [record(third, 5)], generations: [onDisk(5)] };
    const once = { ...journal, ...learn(journal, evidence) };
    expect({ ...once, ...learn(once, evidence) }).toEqual(once);
  });

  test('takes only what the disk confirms, and no trial, for what runs', () => {
    expect(runningByRecord([record(first, 5)], [onDisk(4)])).toBeNull();
    expect(runningByRecord([record(first, 5)], [{ ...onDisk(5), path: '/other/80' }])).toBeNull();
    expect(runningByRecord([], [onDisk(5)])).toBeNull();
  });
});

describe('reports', () => {
  test('are kept once, on one line each, and not without end', () => {
    expect(withReport(['a'], 'b\n\u001b[2Jc')).toEqual(['a', 'b c']);
    expect(withReport(['a'], 'a')).toEqual(['a']);
    const many = Array.from({ length: mostReports + 5 }, (_none, index) => `report ${index}`);
    const kept = many.reduce<readonly string[]>(withReport, []);
    expect(kept).toEqual(many.slice(0, mostReports));
    expect(withReport([], 'x'.repeat(10_000))[0]?.length).toBeLessThan(1000);
  });

  test('are owed until a record carried them', () => {
    expect(withoutReports(['a', 'b'], ['a'])).toEqual(['b']);
    expect(withoutReports(['a'])).toEqual(['a']);
  });
});
