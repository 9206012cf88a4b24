import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeWith } from '../rig/needs.ts';
import { must } from '../rig/run.ts';
import { fleetOfThree } from '../rig/secret-desk.ts';

describeWith(['age'], 'secret import', () => {
  test('takes no value that secret set would refuse', async () => {
    const { world } = await fleetOfThree();
    try {
      const head = await world.git(['rev-parse', 'HEAD']);
      for (const [value, says] of [
        ['', /no value was given/],
        ['x'.repeat(2 ** 20 + 1), /larger than 1048576 bytes/],
      ] as const) {
        const sealed = await must('age', ['-a', '-R', join(world.dir, 'db1.pub')], { input: value });
        await writeFile(join(world.dir, 'old.age'), sealed);
        const args = ['old', '../old.age', '--host', 'db1', '--identity', '../db1'];
        const ran = await world.autark(['secret', 'import', ...args]);
        expect(ran.code).toBe(1);
        expect(ran.stderr).toMatch(says);
        expect(ran.stderr).toContain('old.age');
        expect(await world.git(['rev-parse', 'HEAD'])).toBe(head);
      }
    } finally {
      await world.remove();
    }
  });
});
