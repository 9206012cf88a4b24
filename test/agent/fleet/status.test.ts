import { expect, test } from 'vitest';
import { watchInterval } from '../../../agent/cli/status.ts';
import { distances } from '../../../agent/fleet/status.ts';
import type { Snapshot } from '../../../agent/fleet/read.ts';
import type { Clone } from '../../../agent/clone-ports.ts';
import { claimOf, cloneWith } from './clones.ts';

const head = 'f'.repeat(40);

test('few gits count at a time, each revision once, and all are counted', async () => {
  const revisions = Array.from({ length: 20 }, (_, index) => index.toString(16).padStart(40, '0'));
  const waiting: (() => void)[] = [];
  const asked: string[] = [];
  let most = 0;
  const clone = cloneWith({
    async distance(from) {
      asked.push(from);
      const done = new Promise<void>((resolve) => waiting.push(resolve));
      most = Math.max(most, waiting.length);
      // Everybody who wants to begin has begun before the first one ends.
      setImmediate(() => waiting.shift()?.());
      await done;
      return Number.parseInt(from, 16);
    },
  });
  const claims = new Map([...revisions, ...revisions].map((id, index) => [`host${index}`, claimOf(id)]));
  const snapshot: Pick<Snapshot, 'claims' | 'head'> = { claims, head };
  const counted = await distances(clone, snapshot);
  expect([...counted]).toEqual(revisions.map((id, index) => [id, index]));
  expect(asked).toEqual(revisions);
  expect(most).toBe(4);
});

test.each<[string, boolean | null, boolean, number]>([
  ['a repository on this machine', true, false, 1000],
  ['a server', false, false, 5000],
  ['a server, when only the clone is looked at', false, true, 1000],
  ['no remote', null, false, 1000],
])('--watch looks at %s (local: %s, offline: %s) every %i ms', (_, isLocal, offline, pause) => {
  const remote: Clone['remote'] =
    isLocal === null ? null : { name: 'origin', url: 'URL', branch: 'main', isLocal };
  expect(watchInterval(remote, offline)).toBe(pause);
});
