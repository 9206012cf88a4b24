import { describe, expect, test } from 'vitest';
import { deliver, type Own, type Seen } from '../../../shared/record/delivery.ts';
import type { OwnRecord } from '../../../shared/record/own-record.ts';

const [delivered, other, ground] = ['2'.repeat(40), '3'.repeat(40), '4'.repeat(40)];
const [here, there] = ['ab'.repeat(16), 'cd'.repeat(16)];
const hour = 3_600_000;
const now = Date.UTC(2027, 0, 10);
const own: Own = {
  ...{ host: 'web1', installation: here, seq: 5, delivered, restoredAt: null, goesOn: false },
};
const record = (more: Partial<OwnRecord> = {}): OwnRecord => ({
  ...{ id: other, seq: 8, at: new Date(now - hour).toISOString(), event: 'deployed', installation: here },
  ...{ accepted: null, system: null },
  ...more,
});
const unknown = (...records: readonly OwnRecord[]): Seen => ({ is: 'unknown', id: other, records, ground });
const broken: Seen = { is: 'broken', id: other, where: ground, problem: 'a number is missing' };
const matching = (pattern: RegExp): string => expect.stringMatching(pattern) as string;

/** S9, line by line: what the server shows, and what becomes of it. */
describe('what the writer of a state branch does', () => {
  test('nothing there, and nothing ever delivered: push, and only onto nothing', () => {
    expect(deliver({ ...own, delivered: null }, { is: 'absent' }, now)).toEqual({
      ...{ do: 'push', expected: null },
    });
  });

  test('nothing there any more: push again, and say so', () => {
    expect(deliver(own, { is: 'absent' }, now)).toEqual({
      ...{ do: 'push', expected: null, report: matching(/^state\/web1 is gone/) },
    });
  });

  test('its newest record: nothing', () => {
    expect(deliver(own, { is: 'tip' }, now)).toEqual({ do: 'nothing' });
  });

  test('what it had before, or a later record whose answer was lost: push onto it, without a word', () => {
    for (const id of [delivered, other]) {
      const seen: Seen = { is: 'ours', id, isOlder: false };
      expect(deliver(own, seen, now)).toEqual({ do: 'push', expected: id });
    }
  });

  test('an older record of ours, set back by the server: push onto it, and say so', () => {
    expect(deliver(own, { is: 'ours', id: other, isOlder: true }, now)).toEqual({
      ...{ do: 'push', expected: other, report: matching(/state\/web1 was set back .*3{40}/) },
    });
  });

  test('the newest record of the machine before: push onto it, without a word until it had ours', () => {
    expect(deliver({ ...own, delivered: null }, { is: 'older', id: other }, now)).toEqual({
      ...{ do: 'push', expected: other },
    });
    expect(deliver(own, { is: 'older', id: other }, now)).toEqual({
      ...{ do: 'push', expected: other, report: matching(/set back .*3{40}, of the machine before/) },
    });
  });

  test('something that this host did not sign: replace it, and say what it was', () => {
    for (const before of [delivered, null])
      expect(deliver({ ...own, delivered: before }, { is: 'foreign', id: other }, now)).toEqual({
        ...{ do: 'push', expected: other, report: matching(/held 3{40}, which this host did not sign/) },
      });
  });

  test('a good chain of this installation that it does not know: go on from there, and say so', () => {
    const decided = deliver(own, unknown(record(), record({ seq: 7 })), now);
    expect(decided).toEqual({ do: 'adopt', report: matching(/at record 5.* up to 8 \(3{40}\)/) });
  });

  test('any record in it of another installation: stop, and name both', () => {
    const decided = deliver(own, unknown(record(), record({ seq: 7, installation: there })), now);
    expect(decided).toEqual({
      ...{ do: 'stop', where: other },
      cause: matching(new RegExp(`record 7 is of installation ${there}, and this one is ${here}`)),
    });
  });

  test('a second time within a day, as the chain says: stop', () => {
    const restored = (ago: number): OwnRecord =>
      record({ seq: 7, event: 'restored', at: new Date(now - ago).toISOString() });
    expect(deliver(own, unknown(record(), restored(23 * hour)), now).do).toBe('stop');
    expect(deliver(own, unknown(record(), restored(24 * hour)), now).do).toBe('adopt');
    // Whose clock is wrong cannot be told.
    expect(deliver(own, unknown(record(), restored(-48 * hour)), now).do).toBe('stop');
  });

  test('a second time within a day, as this machine knows: stop', () => {
    expect(deliver({ ...own, restoredAt: now - hour }, unknown(record()), now)).toEqual({
      ...{ do: 'stop', where: other, cause: matching(/restored within a day/) },
    });
    expect(deliver({ ...own, restoredAt: now - 25 * hour }, unknown(record()), now).do).toBe('adopt');
  });

  test('a record of this key above a chain that is not good: stop, and name the link', () => {
    expect(deliver(own, broken, now)).toEqual({
      ...{ do: 'stop', where: ground, cause: matching(/does not know \(3{40}\): a number is missing/) },
    });
  });

  test('once a person said that this machine goes on, nothing stops it', () => {
    const goes: Own = { ...own, goesOn: true, restoredAt: now };
    expect(deliver(goes, unknown(record({ installation: there })), now).do).toBe('adopt');
    expect(deliver(goes, broken, now)).toEqual({
      ...{ do: 'push', expected: other, report: matching(/a number is missing/) },
    });
  });

  test('every push is a compare-and-swap of what was seen', () => {
    const seen: readonly Seen[] = [
      ...[{ is: 'foreign', id: other } as const, broken, unknown(record())],
      ...[true, false].map((isOlder) => ({ is: 'ours', id: other, isOlder }) as const),
    ];
    for (const each of seen)
      for (const goesOn of [true, false]) {
        const decided = deliver({ ...own, goesOn }, each, now);
        if (decided.do === 'push') expect(decided.expected).toBe(other);
      }
  });
});
