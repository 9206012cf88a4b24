import { describe, expect, test } from 'vitest';
import { introductionOf } from '../../../agent/fleet/introduction.ts';
import { ok } from '../../../shared/failure.ts';
import { serialiseCommit } from '../../../shared/objects/commit.ts';
import { failureOf, valueOf } from '../adapters/scratch.ts';
import { cloneWith } from './clones.ts';

const idOf = (index: number): string => index.toString(16).padStart(40, '0');

/** A clone whose branch has these commits, newest first: each named by the fleet that it introduces, if any. */
function cloneOf(fleets: readonly (string | null)[], told: string | null = null) {
  const who = { name: 'Alice', email: 'alice@example.org', seconds: 1, zone: '+0000' };
  const objects = fleets.map((fleet, index) => {
    const message = fleet === null ? 'Change\n' : `Introduce the fleet\n\nAutark-Fleet: ${fleet}\n`;
    const fields = { tree: idOf(99), parents: [], author: who, committer: who, message };
    return { id: idOf(index), type: 'commit', bytes: serialiseCommit(fields) } as const;
  });
  return {
    ...cloneWith({
      firstParents: () =>
        Promise.resolve(ok(new Map(objects.map(({ id }, index) => [id, objects[index + 1]?.id ?? null])))),
      read: () => Promise.resolve(ok(new Map(objects.map((object) => [object.id, object])))),
    }),
    introduction: told,
  };
}

describe('where a fleet begins', () => {
  const remembered = { introduction: idOf(7), authentic: null, seen: new Map() };

  test('is what a person said, else what was remembered', async () => {
    const said = cloneOf([null, 'f'], idOf(5));
    expect(valueOf(await introductionOf(said, idOf(0), remembered))).toEqual({ id: idOf(5), isFound: false });
    const silent = cloneOf([null, 'f']);
    expect(valueOf(await introductionOf(silent, idOf(0), remembered))).toEqual({
      id: idOf(7),
      isFound: false,
    });
  });

  test.each<[string, (string | null)[], number]>([
    ['the commit that introduces it, below others', [null, null, 'f', null], 2],
    ['not that of a fleet that the repository held before', [null, 'new', null, 'old'], 1],
    ['the oldest of those that name it', ['f', null, 'f'], 2],
  ])('is found once: %s', async (_what, fleets, index) => {
    expect(valueOf(await introductionOf(cloneOf(fleets), idOf(0), null))).toEqual({
      id: idOf(index),
      isFound: true,
    });
  });

  test('is nowhere on a branch that introduces none', async () => {
    const failure = failureOf(await introductionOf(cloneOf([null, null]), idOf(0), null));
    expect(failure).toMatchObject({ kind: 'not-authentic', where: idOf(0) });
    expect(failure.remedy).toMatch(/git config autark\.introduction COMMIT/);
  });
});
