import { describe, expect, test } from 'vitest';
import { deliver, type Seen } from '../../../shared/record/delivery.ts';

const tip = '1'.repeat(40);
const delivered = '2'.repeat(40);
const other = '3'.repeat(40);
const own = { host: 'web1', tip, delivered };
const seen = (more: Partial<Seen>): Seen => ({ id: other, isOurs: false, signedByUs: false, ...more });

/** S9, line by line: what the server shows, and what becomes of it. */
describe('what the writer of a state branch does', () => {
  test('nothing there, and nothing ever delivered: push, and only onto nothing', () => {
    expect(deliver({ ...own, delivered: null }, null)).toEqual({ do: 'push', expected: null });
  });

  test('nothing there any more: push again, and say so', () => {
    expect(deliver(own, null)).toEqual({
      do: 'push',
      expected: null,
      report: expect.stringMatching(/^state\/web1 is gone/) as string,
    });
  });

  test('its newest record: nothing', () => {
    for (const more of [{}, { isOurs: true, signedByUs: true }])
      expect(deliver(own, seen({ id: tip, ...more }))).toEqual({ do: 'nothing' });
  });

  test('what was read back last: push onto exactly that, without a word', () => {
    expect(deliver(own, seen({ id: delivered, isOurs: true, signedByUs: true }))).toEqual({
      do: 'push',
      expected: delivered,
    });
  });

  test('a later record of ours, whose answer was lost: push onto it', () => {
    const found = seen({ isOurs: true, signedByUs: true });
    expect(deliver(own, found)).toEqual({ do: 'push', expected: other });
    expect(deliver({ ...own, delivered: null }, found)).toEqual({ do: 'push', expected: other });
  });

  test('an older record of ours, set back by the server: push onto it, and say so', () => {
    expect(deliver(own, seen({ isOurs: true, isOlder: true, signedByUs: true }))).toEqual({
      do: 'push',
      expected: other,
      report: expect.stringMatching(/set back/) as string,
    });
  });

  test('something that this host did not sign: replace it, and say what it was', () => {
    for (const before of [delivered, null])
      expect(deliver({ ...own, delivered: before }, seen({}))).toEqual({
        do: 'push',
        expected: other,
        report: expect.stringContaining(other) as string,
      });
  });

  test('a record of this key that this installation does not know: stop (12), and push nothing', () => {
    for (const before of [delivered, null]) {
      const decided = deliver({ ...own, delivered: before }, seen({ signedByUs: true }));
      expect(decided).toMatchObject({ do: 'stop', failure: { kind: 'diverged', where: other } });
    }
  });

  test('every push is a compare-and-swap of what was seen', () => {
    for (const isOurs of [true, false])
      for (const signedByUs of [true, false])
        for (const id of [delivered, other]) {
          const decided = deliver(own, { id, isOurs, signedByUs });
          if (decided.do === 'push') expect(decided.expected).toBe(id);
          else expect([decided.do, id, isOurs, signedByUs]).toEqual(['stop', other, false, true]);
        }
  });
});
