import { expect, test } from 'vitest';
import { describeWith } from '../rig/needs.ts';
import { fleetOfThree, inFleet, opens, set } from '../rig/secret-desk.ts';
import type { World } from '../rig/world.ts';

/** The secret `db-pw` has a value and is called `db-password` in `fleet.yaml` from now on, which nothing else was told. */
async function renamed(world: World): Promise<void> {
  await set(world, 'precious', ['db-pw', '--group', 'web']);
  await inFleet(world, (text) => text.replace(/^ {2}db-pw:$/m, '  db-password:'));
  await world.git(['commit', '-qam', 'Rename']);
}

/** No command takes the last copy of a value away unless that was asked for, and none does so silently. */
describeWith(['age'], 'the last copy of a value', () => {
  test('outlives a rename in fleet.yaml and what check says to do about it', async () => {
    const { world, autark } = await fleetOfThree();
    try {
      await renamed(world);
      const head = await world.git(['rev-parse', 'HEAD']);
      const checked = await world.autark(['check']);
      expect(checked.code).toBe(21);
      expect(checked.stdout).toMatch(/secrets\/db-pw\.age is sealed.*git mv.*--remove-undeclared/s);

      const rekeyed = await world.autark(['rekey']);
      expect(rekeyed.code).toBe(0);
      expect(rekeyed.stderr).toMatch(/secrets\/db-pw\.age is kept/);
      expect(await world.git(['rev-parse', 'HEAD'])).toBe(head);

      await world.git(['mv', 'secrets/db-pw.age', 'secrets/db-password.age']);
      await world.git(['commit', '-qm', 'Rename the file']);
      await autark(['rekey']);
      expect(await autark(['secret', 'show', 'db-password'])).toBe('precious');
      expect(await opens(world, 'web2', 'secrets/db-password.age')).toBe('precious');
      await autark(['check']);
    } finally {
      await world.remove();
    }
  });

  test('is deleted by rekey where that is asked for, and named', async () => {
    const { world, autark } = await fleetOfThree();
    try {
      await renamed(world);
      const rekeyed = await world.autark(['rekey', '--remove-undeclared']);
      expect(rekeyed.code).toBe(0);
      expect(rekeyed.stderr).toContain('secrets/db-pw.age is removed');
      expect(rekeyed.stderr).not.toContain('sealed anew');
      expect(await world.git(['ls-files', 'secrets'])).toBe('');
      await autark(['check']);
    } finally {
      await world.remove();
    }
  });

  test('stays with the other hosts where one of those that shared it gets its own', async () => {
    const { world, autark } = await fleetOfThree();
    try {
      await set(world, 'ours', ['c', '--group', 'web']);
      const made = await set(world, 'mine', ['c', '--each', '--host', 'web1']);
      expect(made.code, made.stderr).toBe(0);
      expect(made.stderr).toContain('web2 keeps the value');
      expect(made.stderr).toContain('secrets/c.age is removed');
      expect(await opens(world, 'web1', 'secrets/web1/c.age')).toBe('mine');
      expect(await opens(world, 'web2', 'secrets/web2/c.age')).toBe('ours');
      expect(await opens(world, 'web1', 'secrets/web2/c.age')).toBeNull();
      await autark(['check']);
    } finally {
      await world.remove();
    }
  });
});
