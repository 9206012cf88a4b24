import { describe, expect, test } from 'vitest';
import { generationsToKeep } from '../../../shared/cycle/keep.ts';
import { chooseSeed, seeded } from '../../agent/adapters/scratch.ts';

describe('generationsToKeep', () => {
  test('keeps the newest ones besides current, previous and last good', () => {
    const keepers = { current: 9, previous: 8, lastGood: 3, keep: 2 };
    expect(generationsToKeep([1, 2, 3, 4, 5, 6, 7, 8, 9], keepers)).toEqual([3, 6, 7, 8, 9]);
  });

  test('names the three even when the list lacks them', () => {
    expect(generationsToKeep([], { current: 4, previous: 3, lastGood: 2, keep: 0 })).toEqual([2, 3, 4]);
  });

  test('keeps only what is asked when nothing runs yet', () => {
    const nothing = { current: null, previous: null, lastGood: null };
    expect(generationsToKeep([1, 2, 3], { ...nothing, keep: 1 })).toEqual([3]);
    expect(generationsToKeep([1, 2, 3], { ...nothing, keep: 0 })).toEqual([]);
  });

  test('never loses a generation that may be needed, nor keeps more than asked', () => {
    const seed = chooseSeed();
    const random = seeded(seed);
    const below = (limit: number): number => Math.floor(random() * limit);
    for (let round = 0; round < 2000; round += 1) {
      const all = Array.from({ length: below(12) }, () => 1 + below(15));
      const maybe = (): number | null => (random() < 0.2 ? null : 1 + below(15));
      const keepers = { current: maybe(), previous: maybe(), lastGood: maybe(), keep: below(6) };
      const kept = generationsToKeep(all, keepers);
      const because = `seed ${seed}: ${JSON.stringify({ all, keepers, kept })}`;
      const named = [keepers.current, keepers.previous, keepers.lastGood].filter((one) => one !== null);
      expect(kept, because).toEqual(expect.arrayContaining(named));
      expect(new Set(kept).size, because).toBe(kept.length);
      expect(
        [...kept].sort((a, b) => a - b),
        because,
      ).toEqual(kept);
      const others = kept.filter((one) => !named.includes(one));
      const dropped = all.filter((one) => !kept.includes(one));
      expect(
        others.every((one) => all.includes(one)),
        because,
      ).toBe(true);
      expect(others.length, because).toBeLessThanOrEqual(keepers.keep);
      // Something older may only go when the quota is used up by newer ones.
      if (dropped.length > 0) expect(others.length, because).toBe(keepers.keep);
      expect(Math.max(0, ...dropped), because).toBeLessThan(Math.min(Infinity, ...others));
    }
  });
});
