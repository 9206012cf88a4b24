import { mkdir, readdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../rig/needs.ts';
import { fleetOfThree, set } from '../rig/secret-desk.ts';
import type { World } from '../rig/world.ts';

/** What is committed is what lies in the work tree afterwards; where that cannot be, nothing is committed. */
describeWith(['age'], 'a work tree that is not as git has it', () => {
  let world: World;
  let elsewhere: string;
  beforeEach(async () => {
    ({ world } = await fleetOfThree());
    elsewhere = join(world.dir, 'elsewhere');
    await mkdir(elsewhere);
  });
  afterEach(() => world.remove());

  /** Refused, saying this, with branch and index as they were. */
  const isRefused = async (args: readonly string[], says: RegExp): Promise<void> => {
    const before = await world.git(['rev-parse', 'HEAD']);
    const ran = await set(world, 'hunter2', args);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(says);
    expect(await world.git(['rev-parse', 'HEAD'])).toBe(before);
    expect(await world.git(['diff', '--cached', '--name-only'])).toBe('');
  };
  const isSet = async (name: string): Promise<void> => {
    const made = await set(world, 'hunter2', [name, '--host', 'web1']);
    expect(made.code, made.stderr).toBe(0);
    expect(await world.mustAutark(['secret', 'show', name])).toBe('hunter2');
    expect(await world.git(['status', '--porcelain'])).toBe('');
  };

  test('with a link in the place of the first secret’s folder', async () => {
    const link = join(world.clone, 'secrets');
    await symlink(elsewhere, link);
    await isRefused(['c', '--host', 'web1'], /nothing was committed: secrets is .* a link .*mv secrets/);
    expect(await readdir(elsewhere)).toEqual([]);
    await rename(link, join(world.dir, 'moved'));
    await isSet('c');
  });

  test('with a link in the place of a folder that has secrets', async () => {
    await isSet('a');
    const link = join(world.clone, 'secrets');
    await rename(link, join(world.dir, 'moved'));
    await symlink(elsewhere, link);
    await isRefused(['c', '--host', 'web1'], /secrets/);
    expect(await readdir(elsewhere)).toEqual([]);
    await rename(link, join(world.dir, 'link'));
    await world.git(['restore', 'secrets']);
    await isSet('c');
  });

  test('with a link in the place of fleet.yaml', async () => {
    const file = join(world.clone, 'fleet.yaml');
    await rename(file, join(elsewhere, 'fleet.yaml'));
    await symlink(join(elsewhere, 'fleet.yaml'), file);
    await isRefused(['c', '--host', 'web1'], /fleet\.yaml has changes that are not committed/);
  });

  test('with a folder in the place of a secret', async () => {
    await mkdir(join(world.clone, 'secrets/c.age'), { recursive: true });
    await isRefused(['c', '--host', 'web1'], /secrets\/c\.age is a file .* a folder/);
  });
});
