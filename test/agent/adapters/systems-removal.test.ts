import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Systems } from '../../../agent/ports.ts';
import { scratch, valueOf } from './scratch.ts';
import { built, openSystems, registered } from './systems-rig.ts';

let state: string;
let systems: Systems;

/** The same folder as another process would see it. */
const reopen = (): Systems => openSystems(state);

beforeEach(() => {
  state = scratch();
  systems = reopen();
});

describe('prune', () => {
  const numbers = async (): Promise<number[]> => (await systems.generations()).map((one) => one.number);
  const left = (): string[] =>
    readdirSync(join(state, 'systems')).map((name) => join(state, 'systems', name));

  test('removes other generations, their systems, and what crashes left', async () => {
    const two = (await registered(systems, 1), await registered(systems, 2));
    const leftover = await built(systems);
    mkdirSync(join(state, 'generations/7'));
    await reopen().prune([2]);
    expect(await numbers()).toEqual([2]);
    expect(readdirSync(join(state, 'generations'))).toEqual(['2']);
    expect(left()).toEqual([two.path]);
    expect(existsSync(leftover)).toBe(false);
  });

  test('leaves what this process has reserved until it is registered or discarded', async () => {
    const one = await registered(systems, 1);
    const [building, failed] = [await built(systems), await built(systems)];
    await systems.prune([1]);
    expect(left().sort()).toEqual([one.path, building, failed].sort());
    await systems.discard(failed);
    valueOf(await systems.register({ ...one, number: 2, path: building }));
    await systems.prune([1]);
    expect(left()).toEqual([one.path]);
  });

  test('keeps a system that two generations share', async () => {
    const one = await registered(systems, 1);
    valueOf(await systems.register({ ...one, number: 2 }));
    await systems.prune([2]);
    expect(left()).toEqual([one.path]);
  });

  test('never removes the current generation', async () => {
    const one = await registered(systems, 1);
    valueOf(await systems.setCurrent(1));
    await systems.prune([]);
    expect(await systems.generations()).toEqual([one]);
    expect(left()).toEqual([one.path]);
  });

  test('removes no system while a generation cannot be read', async () => {
    const [one, two] = [await registered(systems, 1), await registered(systems, 2)];
    rmSync(join(state, 'generations/1/system'));
    writeFileSync(join(state, 'generations/1/generation.json'), 'garbage');
    await systems.prune([1, 2]);
    expect(left().sort()).toEqual([one.path, two.path].sort());
    symlinkSync(one.path, join(state, 'generations/1/system'));
    await reopen().prune([1]);
    expect(left()).toEqual([one.path]);
  });

  test.each(['generations/2', 'generations'])(
    'removes no system while current leads to a missing %s',
    async (gone) => {
      const [one, two] = [await registered(systems, 1), await registered(systems, 2)];
      valueOf(await systems.setCurrent(2));
      rmSync(join(state, gone), { recursive: true });
      await reopen().prune([1]);
      expect(left().sort()).toEqual([one.path, two.path].sort());
    },
  );

  test('knows its systems when the state folder has moved', async () => {
    const one = await registered(systems, 1);
    const moved = join(scratch(), 'moved');
    execFileSync('cp', ['-a', state, moved]);
    await openSystems(moved).prune([1]);
    expect(readdirSync(join(moved, 'systems'))).toEqual([basename(one.path)]);
  });

  test('copes with read-only directories and never follows a link out', async () => {
    const outside = scratch();
    writeFileSync(join(outside, 'precious'), '');
    const path = await built(systems);
    mkdirSync(join(path, 'a/b'), { recursive: true });
    writeFileSync(join(path, 'a/b/file'), '', { mode: 0o444 });
    symlinkSync(outside, join(path, 'a/out'));
    symlinkSync(join(outside, 'precious'), join(path, 'a/b/out'));
    chmodSync(join(path, 'a/b'), 0);
    for (const folder of ['a', 'bin', '.']) chmodSync(join(path, folder), 0o555);
    chmodSync(outside, 0o755);
    await reopen().prune([]);
    expect(left()).toEqual([]);
    expect(readdirSync(outside)).toEqual(['precious']);
    expect(statSync(outside).mode & 0o7777).toBe(0o755);
  });
});

describe('discard', () => {
  test('leaves a system that a generation uses', async () => {
    const one = await registered(systems, 1);
    await systems.discard(one.path);
    expect(existsSync(one.path)).toBe(true);
  });

  test.each(['/', '.', 'systems/..', 'systems/lost+found', ''])('has nothing to do for %j', async (path) => {
    const one = await registered(systems, 1);
    mkdirSync(join(state, 'systems/lost+found'));
    await systems.discard(join(state, path));
    expect(readdirSync(join(state, 'systems')).sort()).toEqual([basename(one.path), 'lost+found'].sort());
    expect(existsSync(join(state, 'generations/1/generation.json'))).toBe(true);
  });

  test('knows what it gave when the state folder has moved, and touches nothing elsewhere', async () => {
    const path = valueOf(await systems.reserve());
    const moved = join(scratch(), 'moved');
    execFileSync('cp', ['-a', state, moved]);
    await openSystems(moved).discard(path);
    expect(readdirSync(join(moved, 'systems'))).toEqual([]);
    expect(existsSync(path)).toBe(true);
  });

  test('minds nothing that is gone already', async () => {
    const path = valueOf(await systems.reserve());
    await systems.discard(path);
    await systems.discard(path);
    expect(existsSync(path)).toBe(false);
  });
});
