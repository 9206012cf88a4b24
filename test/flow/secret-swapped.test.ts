import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeWith } from '../rig/needs.ts';
import { fleetOfThree, set } from '../rig/secret-desk.ts';

describeWith(['age'], 'a secret’s file', () => {
  test('swapped for another’s or for an older one is found, and opened for nobody where nobody signed that', async () => {
    const { world } = await fleetOfThree();
    try {
      const file = (name: string): string => join(world.clone, `secrets/${name}.age`);
      const older = join(world.dir, 'older.age');
      await set(world, 'old', ['a', '--host', 'web1']);
      await copyFile(file('a'), older);
      await set(world, 'new', ['a']);
      await set(world, 'other', ['b', '--host', 'web1']);
      for (const [instead, isSigned] of [
        [file('b'), true],
        [older, true],
        [file('b'), false],
        [older, false],
      ] as const) {
        await copyFile(instead, file('a'));
        const how = isSigned ? [] : ['-c', 'commit.gpgsign=false'];
        await world.git([...how, 'commit', '-qam', 'Swap']);
        const checked = await world.autark(['check']);
        expect(checked.code).toBe(isSigned ? 21 : 20);
        expect(checked.stdout).toContain('secrets/a.age is not the file that was sealed last');
        if (!isSigned) {
          const shown = await world.autark(['secret', 'show', 'a']);
          expect([shown.code === 0, shown.stdout]).toEqual([false, '']);
        }
        await world.git(['reset', '-q', '--hard', 'HEAD~1']);
      }
    } finally {
      await world.remove();
    }
  });
});
