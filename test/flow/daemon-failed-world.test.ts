import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { cutting } from '../rig/cutting.ts';
import { startDaemon } from '../rig/daemon.ts';
import { makeDeployed, newest } from '../rig/fleet.ts';
import { setInterval } from '../rig/interval.ts';
import { endAll } from '../rig/processes.ts';

const fleet = await makeDeployed('autark-failed-restarts');
const { host, server, world } = fleet;
afterAll(async () => {
  endAll(host.root);
  await world.remove();
});

const away = `${world.remote}.away`;
const push = (motd: string): Promise<string> =>
  server.commit({
    files: {
      ...cutting(motd, world.remote),
      'fleet.yaml': fleet.fleetYaml('web1', ['timeouts: { fetch: 3s }']),
    },
  });
const failed = () =>
  (JSON.parse(host.journal()) as { failed: { attempts: number; code: number } | null }).failed;

/** An agent whose next activation takes the server away; it is killed once it went back, and the server is there again. */
async function lifeCutOff(): Promise<readonly string[]> {
  const before = host.activations().length;
  for (const file of ['cut', 'lost']) writeFileSync(host.path(file), '');
  const daemon = startDaemon(world, host);
  await daemon.next({ event: 'recorded', record: 'rolled-back' });
  await daemon.kill();
  if (existsSync(away)) renameSync(away, world.remote);
  return host.activations().slice(before);
}

test('what the world keeps from being confirmed is tried three times, however often the agent is started anew', async () => {
  // Nothing but a start makes an agent look so soon again: its own next try comes after half an hour at least.
  setInterval(host, '1h');
  await push('calm');
  expect((await host.agent()).code).toBe(0);
  const revision = await push('flapping');
  for (const [attempts, code] of [
    [1, 50],
    [2, 50],
    [3, 40],
  ]) {
    expect(await lifeCutOff(), `life ${attempts}`).toEqual(['switch flapping', 'switch calm']);
    expect(failed()).toMatchObject({ attempts, code });
  }

  rmSync(host.path('lost'), { force: true });
  const before = host.activations().length;
  // The first of them brings the record to the server, the second has nothing to do.
  for (const event of ['delivered', 'idle']) {
    const daemon = startDaemon(world, host);
    await daemon.next({ event });
    await daemon.kill();
    expect(host.activations().slice(before)).toEqual([]);
  }
  const { outcome } = (await newest(host)).status;
  expect(outcome).toMatchObject({ event: 'rolled-back', code: 40, attempted: revision });
  expect(outcome.message).toMatch(/attempt 3 of this system.*counts as failed/);
});
