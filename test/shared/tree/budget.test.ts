import { describe, expect, test } from 'vitest';
import { defaultBudget, nothingSpent, spend } from '../../../shared/tree/budget.ts';
import { failureOf, valueOf } from '../../agent/adapters/scratch.ts';

const budget = { depth: 2, entries: 3, pathBytes: 20, blobBytes: 10, totalBytes: 15 };

describe('the budget', () => {
  test('adds up entries and bytes', () => {
    const one = valueOf(spend(nothingSpent, { path: 'd', bytes: 0 }, budget));
    expect(valueOf(spend(one, { path: 'd/a', bytes: 10 }, budget))).toEqual({ entries: 2, totalBytes: 10 });
  });

  test.each([
    ['depth', nothingSpent, { path: 'a/b/c/d', bytes: 0 }, 'more than 2 directories deep'],
    ['entries', { entries: 3, totalBytes: 0 }, { path: 'a', bytes: 0 }, 'more than 3 entries'],
    ['path', nothingSpent, { path: 'ä'.repeat(11), bytes: 0 }, 'more than 20 bytes in a path'],
    ['blob', nothingSpent, { path: 'a', bytes: 11 }, 'more than 10 bytes in a file'],
    ['total', { entries: 1, totalBytes: 10 }, { path: 'a', bytes: 6 }, 'more than 15 bytes in all'],
  ])('says which limit is broken: %s', (_, spent, entry, reason) => {
    expect(failureOf(spend(spent, entry, budget))).toBe(`the tree has ${reason}`);
  });

  test.each([
    ['depth', nothingSpent, { path: 'a/b/c', bytes: 0 }],
    ['entries', { entries: 2, totalBytes: 0 }, { path: 'a', bytes: 0 }],
    ['path', nothingSpent, { path: 'ä'.repeat(10), bytes: 0 }],
    ['blob', nothingSpent, { path: 'a', bytes: 10 }],
    ['total', { entries: 1, totalBytes: 10 }, { path: 'a', bytes: 5 }],
  ])('may be used up: %s', (_, spent, entry) => {
    expect(spend(spent, entry, budget).ok).toBe(true);
  });

  test('leaves a path room for the folder above it (PATH_MAX, 4096)', () => {
    expect(defaultBudget.pathBytes).toBeLessThanOrEqual(4096 - 1024);
  });
});
