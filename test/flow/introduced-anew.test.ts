import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed, newest } from '../rig/fleet.ts';
import { writeKey } from '../rig/world.ts';

const fleet = await makeDeployed();
const { host, server, world } = fleet;
afterAll(() => world.remove());

test('when every key is lost, root of each host starts from a new introduction', async () => {
  const key = await writeKey(join(world.dir, 'new_key'), 'bob@example.org');
  rmSync(world.adminKey);
  await world.git(['pull', '--quiet']);
  const made = await world.mustAutark([
    'init',
    '--again',
    '--yes',
    '--key',
    join(world.dir, 'new_key'),
    '--push',
  ]);
  const introduction = made.trim();
  const said = await server.commit({ files: execHost('web1', 'anew'), key, subject: 'Say anew' });

  // Nobody has to believe it: only root says where trust begins.
  const before = host.running();
  expect((await host.agent()).code).toBe(20);
  expect(host.running()).toEqual(before);

  const file = host.path('etc/autark/agent.yaml');
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(`introduction: ${fleet.introduction}`);
  writeFileSync(file, text.replace(fleet.introduction, introduction));
  expect((await host.agent()).code).toBe(0);
  expect(host.motd()).toBe('anew');
  expect((await newest(host)).status.accepted).toBe(said);

  // The records of the time before stay good, also those that name revisions below the new introduction.
  const verified = await world.autark(['verify']);
  expect(verified.stdout).toMatch(/2 commits since the introduction .* of 1 host good: all is well/);
  expect(verified.code).toBe(0);
  expect((await world.autark(['status'])).code).toBe(0);
});

test('a lost key counts for nothing above the new introduction', async () => {
  const before = host.running();
  await server.commit({ files: execHost('web1', 'stolen'), key: fleet.admin, subject: 'Say stolen' });
  expect((await host.agent()).code).toBe(20);
  expect(host.running()).toEqual(before);
});
