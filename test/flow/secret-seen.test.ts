import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../rig/needs.ts';
import { fleetOfThree, hostKey, inFleet, set } from '../rig/secret-desk.ts';
import type { World } from '../rig/world.ts';

describeWith(['age'], 'who has seen a value', () => {
  let world: World;
  beforeEach(async () => {
    ({ world } = await fleetOfThree());
  });
  afterEach(() => world.remove());

  test('is said of a machine that goes also where the value was its own', async () => {
    for (const host of ['web1', 'web2'])
      await set(world, `of ${host}`, ['host-key', '--each', '--group', 'web', '--host', host]);
    const retired = await world.autark(['retire', 'web2', '--yes']);
    expect(retired.code, retired.stderr).toBe(0);
    expect(retired.stderr).toContain('web2 has seen: host-key');
    expect(retired.stderr).toContain('secrets/web2/host-key.age is removed');
    // The reader stays one, and web1 has only ever seen its own.
    expect(retired.stderr.match(/has seen:/g)).toHaveLength(1);
  });

  test('is said by the name that a reader had who was taken out by hand, some commits ago', async () => {
    await set(world, 'one', ['a', '--host', 'web1']);
    await hostKey(world, 'bob');
    const [type, key] = (await readFile(join(world.dir, 'bob.pub'), 'utf8')).split(' ');
    const line = `  - ${type ?? ''} ${key ?? ''} bob\n`;
    await inFleet(world, (text) => text.replace('readers:\n', `readers:\n${line}`));
    await world.git(['commit', '-qam', 'Let bob read']);
    await world.mustAutark(['rekey']);
    await inFleet(world, (text) => text.replace(line, ''));
    await world.git(['commit', '-qam', 'Bob leaves']);
    await world.git(['commit', '-q', '--allow-empty', '-m', 'Something else']);
    expect((await world.autark(['check'])).stdout).toContain('bob still can');
    expect((await world.autark(['secret', 'list'])).stderr).toContain('bob still can');
    expect((await world.autark(['rekey'])).stderr).toContain('bob has seen: a');
  });
});
