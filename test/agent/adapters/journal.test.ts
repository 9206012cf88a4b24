import { chmodSync, chownSync, renameSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { damage } from './damage.ts';
import { fileJournals } from '../../../agent/adapters/journal.ts';
import { fullJournal, phases } from './journals.ts';
import { failureOf, scratch, valueOf } from './scratch.ts';

describe('the journal on disk', () => {
  test('comes back as it was saved, in every phase, readable by its owner alone', async () => {
    const state = scratch();
    for (const phase of phases) {
      valueOf(await fileJournals(state).save({ ...fullJournal, phase }));
      expect(await fileJournals(state).load()).toEqual({ ok: true, value: { ...fullJournal, phase } });
    }
    expect(statSync(join(state, 'journal.json')).mode & 0o7777).toBe(0o600);
  });

  test('is null only when nothing is there', async () => {
    expect(await fileJournals(scratch()).load()).toEqual({ ok: true, value: null });
  });

  test.each(damage)('is held, not absent, when it is %s', async (_what, spoil) => {
    const state = scratch();
    spoil(join(state, 'journal.json'));
    const failure = failureOf(await fileJournals(state).load());
    expect(failure).toMatchObject({ kind: 'held', where: join(state, 'journal.json') });
    expect(failure.remedy).toMatch(/^this host deploys nothing until root/);
  });

  test.skipIf(process.getuid?.() === 0)('is held when it may not be read', async () => {
    const state = scratch();
    valueOf(await fileJournals(state).save(fullJournal));
    chmodSync(join(state, 'journal.json'), 0);
    expect(failureOf(await fileJournals(state).load())).toMatchObject({ kind: 'held' });
  });

  test.each<[string, (state: string, path: string) => void]>([
    [
      'others may write to it',
      (_, path) => {
        chmodSync(path, 0o620);
      },
    ],
    [
      'others may write to its folder',
      (state) => {
        chmodSync(state, 0o702);
      },
    ],
    [
      'it is a link',
      (state, path) => {
        renameSync(path, join(state, 'elsewhere'));
        symlinkSync('elsewhere', path);
      },
    ],
  ])('is held when %s: it says what need not be verified', async (_what, spoil) => {
    const state = scratch();
    const path = join(state, 'journal.json');
    valueOf(await fileJournals(state).save(fullJournal));
    spoil(state, path);
    const failure = failureOf(await fileJournals(state).load());
    expect(failure).toMatchObject({ kind: 'held', where: path });
    expect(failure.cause).toMatch(/somebody else could have written it: /);
  });

  test.runIf(process.geteuid?.() === 0)('is held when it belongs to another user', async () => {
    const state = scratch();
    valueOf(await fileJournals(state).save(fullJournal));
    chownSync(join(state, 'journal.json'), 65534, 65534);
    expect(failureOf(await fileJournals(state).load()).cause).toMatch(/belongs to the user 65534/);
  });

  test('refuses to write what it could not read back, and keeps the old one', async () => {
    const state = scratch();
    valueOf(await fileJournals(state).save(fullJournal));
    const before = readFileSync(join(state, 'journal.json'), 'utf8');
    await expect(fileJournals(state).save({ ...fullJournal, tip: 'HEAD' })).rejects.toThrow(/tip/);
    await expect(fileJournals(state).save({ ...fullJournal, recordedAt: NaN })).rejects.toThrow(/recordedAt/);
    expect(readFileSync(join(state, 'journal.json'), 'utf8')).toBe(before);
  });
});
