import { describe, expect, test } from 'vitest';
import { forksIn, inLine, type Graph } from '../../../shared/record/forks.ts';

/** Letters stand for commits: `{ d: 'cb' }` says that d has the parents c and b; children first. */
function graphOf(parents: Readonly<Record<string, string>>): Graph {
  return new Map(Object.entries(parents).map(([id, above]) => [id, Array.from(above)]));
}

function forks(accepted: string, graph: Graph): string[] {
  return forksIn(inLine(accepted, graph), graph).map((fork) => fork.join(''));
}

describe('revisions that hosts accepted', () => {
  const straight = graphOf({ d: 'c', c: 'b', b: 'a' });
  // d merges b and c, which part at a.
  const merged = graphOf({ e: 'd', d: 'bc', c: 'a', b: 'a' });

  test.each([
    ['one', 'c', straight],
    ['none', '', straight],
    ['a chain, in any order', 'bda', straight],
    ['the last that all have in common, which lies below the graph', 'ad', straight],
    ['a merge and one of its sides', 'eb', merged],
  ])('on one line: %s', (_what, accepted, graph) => {
    expect(forks(accepted, graph)).toEqual([]);
  });

  test('two sides of a merge are a fork, even though a merge has brought them together', () => {
    expect(forks('bc', merged)).toEqual(['cb']);
    expect(forks('ebc', merged)).toEqual(['cb']);
    expect(forks('abc', merged)).toEqual(['cb']);
  });

  test('two histories with nothing in common are a fork', () => {
    expect(forks('bd', graphOf({ d: 'c', c: '', b: 'a', a: '' }))).toEqual(['db']);
  });

  test('three branches are named pair by pair', () => {
    expect(forks('bcd', graphOf({ d: 'a', c: 'a', b: 'a' }))).toEqual(['dc', 'cb']);
  });
});
