import { describe, expect, test } from 'vitest';
import { lookAgain, seenAs } from '../../../shared/disk/due.ts';
import { publicName } from '../../../shared/disk/public-name.ts';
import type { Ledger } from '../../../shared/record/ledger.ts';
import { mostBackups, nextLedger } from '../../../shared/record/next-ledger.ts';
import { parseLedger, serialiseLedger } from '../../../shared/record/parse-ledger.ts';

const around = {
  ...{ fleet: '0f9c', host: 'web1', installation: 'one', seq: 7 },
  at: '2026-11-28T20:00:00.000Z',
  readers: ['b', 'a', 'b'],
  lost: new Set<string>(),
};
const text = (name: string, content: string) => ({ name, content: Buffer.from(content) });
const look = (before: Ledger | null, ...backups: ReturnType<typeof text>[]) =>
  nextLedger(before, { disks: [], backups }, { ...around, at: `2026-12-0${backups.length}T00:00:00.000Z` });

describe('the ledger after a look', () => {
  const first = nextLedger(null, { disks: [], backups: [text('lvm-vg0', 'one')] }, around);

  test('begins with the record that is next, in this installation, sealed to each reader once', () => {
    expect(first.ledger).toMatchObject({
      ...{ format: 1, fleet: '0f9c', host: 'web1', readers: ['a', 'b'] },
      begun: { seq: 7, installation: 'one' },
      backups: { 'lvm-vg0': { taken: around.at } },
    });
    expect(first.news).toBe('backups');
  });

  test('is the same while the same is found, whoever looks later', () => {
    const again = nextLedger(
      first.ledger,
      { disks: [], backups: [text('lvm-vg0', 'one')] },
      { ...around, installation: 'two', seq: 9, at: '2027-01-01T00:00:00.000Z' },
    );
    expect(again).toEqual({ ledger: first.ledger, seal: [], news: 'nothing' });
  });

  test('has only what is new to be sealed, and says when that was found', () => {
    const { seal, ledger, news } = look(first.ledger, text('lvm-vg0', 'two'));
    expect(seal.map(({ name }) => name)).toEqual(['lvm-vg0']);
    expect(ledger.backups['lvm-vg0']?.taken).toBe('2026-12-01T00:00:00.000Z');
    expect(news).toBe('backups');
  });

  test('takes anew what was lost, and names no more what was lost and cannot be taken again', () => {
    const lost = { ...around, at: '2026-12-09T00:00:00.000Z', lost: new Set(['lvm-vg0']) };
    const found = { disks: [], backups: [text('lvm-vg0', 'one')] };
    const { seal, ledger, news } = nextLedger(first.ledger, found, lost);
    expect([seal.map(({ name }) => name), news]).toEqual([['lvm-vg0'], 'backups']);
    expect(ledger.backups['lvm-vg0']?.taken).toBe(lost.at);
    expect(nextLedger(first.ledger, { disks: [], backups: [] }, lost).ledger.backups).toEqual({});
  });

  test('keeps the backup of what is not there any more: a disk that died is when it is needed', () => {
    const { seal, ledger, news } = look(first.ledger);
    expect([seal, news]).toEqual([[], 'nothing']);
    expect(ledger.backups).toEqual(first.ledger.backups);
  });

  test('keeps those found last, of too many that are gone', () => {
    let ledger = first.ledger;
    for (let day = 0; day < mostBackups + 2; day += 1) {
      const at = new Date(Date.UTC(2027, 0, 1 + day)).toISOString();
      ledger = nextLedger(
        ledger,
        { disks: [], backups: [text(`lvm-${day}`, 'x')] },
        { ...around, at },
      ).ledger;
    }
    const names = Object.keys(ledger.backups);
    expect(names).toHaveLength(mostBackups);
    expect(names).toContain(`lvm-${mostBackups + 1}`);
    for (const gone of ['lvm-vg0', 'lvm-0', 'lvm-1']) expect(names).not.toContain(gone);
  });

  test('other readers are news, although it says the same', () => {
    const next = nextLedger(
      first.ledger,
      { disks: [], backups: [text('lvm-vg0', 'one')] },
      { ...around, readers: ['a'] },
    );
    expect([next.news, next.seal, next.ledger.readers]).toEqual(['ledger', [], ['a']]);
  });

  test('loses nothing that a newer agent wrote', () => {
    const newer = parseLedger(
      JSON.stringify({ ...first.ledger, deeds: [{ step: 'format', of: { more: 1 } }], later: true }),
    );
    if (!newer.ok) throw new Error(newer.failure);
    const { ledger } = look(newer.value, text('md', 'x'));
    expect(ledger).toMatchObject({ later: true, deeds: [{ step: 'format', of: { more: 1 } }] });
    expect(JSON.parse(serialiseLedger(ledger))).toMatchObject({ later: true });
  });
});

test.each(['', '{', '[]', '{"format":1}', '{"format":2}', '{"format":1,"fleet":"f","host":1}'])(
  'a ledger that says %j is none',
  (opened) => {
    expect(parseLedger(opened).ok).toBe(false);
  },
);

test('a table is called after no serial number, always the same, and another in another fleet', () => {
  const named = publicName('table-ata-DISK_S3R1AL', 'fleet');
  expect(named).toEqual({
    name: expect.stringMatching(/^table-[0-9a-f]{12}$/) as string,
    of: 'ata-DISK_S3R1AL',
  });
  expect(publicName('table-ata-DISK_S3R1AL', 'fleet')).toEqual(named);
  expect(publicName('table-ata-DISK_S3R1AL', 'other').name).not.toBe(named.name);
  expect(publicName('lvm-vg0', 'fleet')).toEqual({ name: 'lvm-vg0' });
});

describe('it is time to look at all disks', () => {
  const day = 86_400_000;
  const looked = (glance: string, readers = ['a'], luksHeaders = false): string =>
    seenAs({ glance, readers, luksHeaders });
  const seen = { glance: looked('same'), at: 100 * day };
  test.each([
    ['never before', null, 'same', 0, true],
    ['a minute later', seen, 'same', 60_000, false],
    ['a day later', seen, 'same', day, true],
    ['once something is another', seen, 'other', 60_000, true],
    ['after the clock was put back', seen, 'same', -day, true],
    ['a minute after one that failed', { ...seen, isFailed: true as const }, 'same', 60_000, false],
    ['an hour after one that failed', { ...seen, isFailed: true as const }, 'same', 3_600_000, true],
  ])('%s', (_when, before, glance, later, isTime) => {
    expect(lookAgain(before, looked(glance), 100 * day + later)).toBe(isTime);
  });

  test('once it is to be sealed to others, or more is asked for', () => {
    expect(lookAgain(seen, looked('same', ['a'], true), seen.at)).toBe(true);
    expect(lookAgain(seen, looked('same', ['a', 'b']), seen.at)).toBe(true);
  });
});
