import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { afterAll, expect, test, vi } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed } from '../rig/fleet.ts';
import { patience } from '../rig/patience.ts';
import { endAll } from '../rig/processes.ts';
import { expectAtRest } from '../rig/sound.ts';
import { watchfulBuild } from '../rig/watchful.ts';

const fleet = await makeDeployed('autark-enroll-waits');
const { host, server, world } = fleet;
afterAll(async () => {
  endAll(host.root);
  await world.remove();
});

test('enroll waits for a cycle that is at work, such as a timer begins, and says so', async () => {
  const build = watchfulBuild('until [ -e "$AUTARK_ROOT/go" ]; do sleep 0.05; done\n');
  await server.commit({ files: { ...execHost('web1', 'slow'), 'hosts/web1/build': build } });
  const cycle = host.agent();
  await vi.waitUntil(() => existsSync(host.path('busy')), patience);
  const enrolling = world.autark(['enroll', '--root', host.root]);
  // The lock itself, and what the other one has ready to be put there.
  const claims = () =>
    readdirSync(host.path('var/lib/autark')).filter((name) => name.includes('daemon.lock'));
  await vi.waitUntil(() => claims().length === 2, patience);
  expect(host.motd()).not.toBe('slow');
  writeFileSync(host.path('go'), '');
  const { code, stderr } = await enrolling;
  expect(stderr).toMatch(
    /process \d+ \(autark agent --once\) is at work here: waiting for it, for 2 minutes at most/,
  );
  expect(code, stderr).toBe(0);
  // It began when the cycle was over.
  expect(host.motd()).toBe('slow');
  expect((await cycle).code).toBe(0);
  expectAtRest(host, 'after both');
});
