import { afterAll, expect, test } from 'vitest';
import { makeDeployed } from '../rig/fleet.ts';

const { world } = await makeDeployed('autark-branches');
afterAll(() => world.remove());

test('a look at the fleet from a branch for a pull request spoils no later one from main', async () => {
  await world.git(['pull', '--quiet']);
  await world.git(['switch', '--quiet', '--create', 'topic']);
  await world.git(['commit', '--quiet', '--allow-empty', '--message', 'From a topic']);
  await world.git(['push', '--quiet', '--set-upstream', 'origin', 'topic']);
  expect((await world.autark(['status'])).stdout).toContain('web1');
  await world.git(['switch', '--quiet', 'main']);
  for (const verb of ['status', 'verify']) {
    const { code, stdout, stderr } = await world.autark([verb]);
    expect(code, `${verb}: ${stdout}${stderr}`).toBe(0);
  }
});
