import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openClone } from '../../agent/adapters/clone.ts';
import { valueOf } from '../agent/adapters/scratch.ts';
import { makeWorld, type World } from '../rig/world.ts';

async function world(): Promise<World> {
  const made = await makeWorld('autark-clone');
  onTestFinished(() => made.remove());
  return made;
}

async function cloneIn({ clone, env }: World) {
  const { signal } = new AbortController();
  return valueOf(await openClone({ cwd: clone, env, signal })).clone;
}

test('the chain of first parents comes in order, as far as it is asked for', async () => {
  const here = await world();
  const tree = await here.git(['mktree']);
  const commit = (...parents: string[]): Promise<string> =>
    here.git(['commit-tree', '-m', `on ${parents.join()}`, ...parents.flatMap((id) => ['-p', id]), tree]);
  const root = await commit();
  const side = await commit(await commit(root));
  const second = await commit(root, side);
  const third = await commit(second);
  const clone = await cloneIn(here);
  expect([...valueOf(await clone.firstParents([third]))]).toEqual([
    [third, second],
    [second, root],
    [root, null],
  ]);
  expect([...valueOf(await clone.firstParents([third], { limit: 2 }))]).toEqual([
    [third, second],
    [second, root],
  ]);
  expect([...valueOf(await clone.firstParents([]))]).toEqual([]);
});

test('what is said of the remote holds no secret, and whether it is on this machine', async () => {
  const here = await world();
  expect((await cloneIn(here)).remote).toMatchObject({ url: here.remote, isLocal: true });
  await here.git(['remote', 'set-url', 'origin', 'https://me:s@cret@example.org/fleet.git']);
  expect((await cloneIn(here)).remote).toMatchObject({
    url: 'https://example.org/fleet.git',
    isLocal: false,
  });
});

test.each([
  ['https://me:hunter2@fleet.example/a', 'https://fleet.example/a'],
  ['ssh://git@fleet.example/a', 'ssh://git@fleet.example/a'],
])('init says how to enroll from %s, without its secret', async (url, shown) => {
  const here = await world();
  // git itself finds the repository here, whatever its URL says (git-config(1), url.<base>.insteadOf).
  await here.git(['config', `url.${here.remote}.insteadOf`, url]);
  await here.git(['remote', 'set-url', 'origin', url]);
  const ran = await here.autark(['init', '--key', join(here.dir, 'admin_key')]);
  expect(ran.code).toBe(0);
  expect(ran.stderr).toContain(`autark enroll --remote ${shown} --host NAME`);
  expect(ran.stderr).not.toContain('hunter2');
});
