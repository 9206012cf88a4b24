import { describe, expect, test } from 'vitest';
import { checkLink } from '../../../shared/record/chain.ts';
import type { Found, Pinned, StateRecord } from '../../../shared/record/tip.ts';
import { failureOf, valueOf } from '../../agent/adapters/scratch.ts';
import { draft } from './drafts.ts';
import { found, pinned as usual, place } from './found.ts';

/** A record with this number, on top of another; without one, a first record. */
function record(seq: number, below: Found | null, genesis: string | null): Found {
  const made = draft({ event: seq === 0 ? 'enrolled' : 'alive', running: null });
  const at = { ...place, genesis, previous: below?.id ?? null };
  return found({ ...made, status: { ...made.status, seq } }, { at });
}

const first = record(0, null, null);
const pinned: Pinned = { ...usual, genesis: first.id };
const second = record(1, first, first.id);
const third = record(2, second, first.id);

/** Checks a chain from the tip down, as readers do; the records that were good, and what was wrong with the next. */
function check(chain: readonly Found[], by: Pinned = pinned): { good: number[]; cause?: string } {
  const good: number[] = [];
  let above: StateRecord | null = null;
  for (const link of chain) {
    const checked = checkLink(link, by, above);
    if (!checked.ok) return { good, cause: checked.failure.cause };
    above = checked.value;
    good.push(above.seq);
  }
  return { good };
}

describe('a chain', () => {
  test('is good down to its genesis, also when none is pinned', () => {
    expect(check([third, second, first])).toEqual({ good: [2, 1, 0] });
    const { fleet, host, key } = pinned;
    expect(check([third, second, first], { fleet, host, key })).toEqual({ good: [2, 1, 0] });
  });

  test('may not leave a number out, repeat one, or run backwards', () => {
    const gap = record(3, second, first.id);
    expect(check([gap, second, first])).toEqual({
      good: [3],
      cause: expect.stringContaining('its number is 1, and the record that follows it has 3') as string,
    });
    expect(check([third, record(2, second, first.id)]).good).toEqual([2]);
    expect(check([second, third]).good).toEqual([1]);
  });

  test('ends at number 0, and nowhere else', () => {
    const early = record(1, null, first.id);
    expect(check([third, early])).toEqual({
      good: [2],
      cause: expect.stringContaining('its number is 1, and it follows none') as string,
    });
    // A first record that has something below it: of an invited host, whose genesis nobody pinned.
    const { fleet, host, key } = pinned;
    const deep = record(0, first, null);
    expect(failureOf(checkLink(deep, { fleet, host, key }, null)).cause).toMatch(
      /number 0, and is not the first/,
    );
  });

  test('keeps to one genesis, also when none is pinned', () => {
    const { fleet, host, key } = pinned;
    const foreign = record(1, first, 'c'.repeat(40));
    expect(check([third, foreign], { fleet, host, key }).cause).toMatch(/belongs to the genesis c{40}/);
  });

  test('names the record that breaks it', () => {
    const gap = record(3, second, first.id);
    const above = valueOf(checkLink(gap, pinned, null));
    expect(failureOf(checkLink(second, pinned, above))).toMatchObject({
      kind: 'not-authentic',
      where: second.id,
    });
  });
});
