import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeWith } from '../rig/needs.ts';
import { must, run } from '../rig/run.ts';
import { fleetOfThree, inFleet, opens, set } from '../rig/secret-desk.ts';
import { program } from '../rig/world.ts';

describeWith(['age'], 'two people who seal at once', () => {
  test('go on as docs/secrets.md says, and no value is lost', async () => {
    const { world, autark } = await fleetOfThree();
    try {
      await set(world, 'one', ['a', '--host', 'web1']);
      await inFleet(world, (text) => text.replace(/hosts: \[ ?web1 ?\]/, 'hosts: [ web1, db1 ]'));
      await world.git(['commit', '-qam', 'Also for db1']);
      // As from a page of the forge, where no hook asks for a rekey first.
      await world.git(['push', '-q', '--no-verify']);
      // The other one has the same revision, and is the first to push.
      const other = join(world.dir, 'other');
      await must('cp', ['-a', world.clone, other], {});
      await autark(['rekey']);
      await set(world, 'mine', ['b', '--host', 'web1']);
      const first = await run(process.execPath, [program, 'rekey', '--push'], { cwd: other, env: world.env });
      expect(first.code, first.stderr).toBe(0);

      // A pull that was begun anyway.
      const pull = ['pull', '-q', '--no-rebase', 'origin', 'main'];
      await expect(world.git(pull)).rejects.toThrow();
      await world.git(['merge', '--abort']);
      await world.git(['branch', 'mine']);
      await world.git(['fetch', '-q']);
      await world.git(['reset', '-q', '--hard', '@{upstream}']);
      expect((await world.autark(['rekey', '--push'])).stderr).toContain('nothing to do');
      await writeFile(join(world.dir, 'mine.age'), `${await world.git(['show', 'mine:secrets/b.age'])}\n`);
      await autark(['secret', 'import', 'b', '../mine.age', '--host', 'web1', '--push']);

      await autark(['check']);
      expect(await opens(world, 'db1', 'secrets/a.age')).toBe('one');
      expect(await opens(world, 'web1', 'secrets/b.age')).toBe('mine');
      expect(await world.git(['rev-parse', 'HEAD'])).toBe(await world.git(['rev-parse', 'origin/main']));
    } finally {
      await world.remove();
    }
  });
});
