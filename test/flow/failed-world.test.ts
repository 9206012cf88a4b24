import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { cutting } from '../rig/cutting.ts';
import { makeDeployed, newest } from '../rig/fleet.ts';

const fleet = await makeDeployed('autark-failed-world');
const { host, server, world } = fleet;
afterAll(() => world.remove());

const push = (motd: string): Promise<string> =>
  server.commit({
    files: {
      ...cutting(motd, world.remote),
      'fleet.yaml': fleet.fleetYaml('web1', ['timeouts: { fetch: 3s }']),
    },
  });

/** One cycle whose activation takes the server away for both generations; it is back afterwards. */
async function cycleCutOff() {
  const before = host.activations().length;
  writeFileSync(host.path('cut'), '');
  writeFileSync(host.path('lost'), '');
  const { code } = await host.agent();
  rmSync(host.path('cut'), { force: true });
  const activated = host.activations().slice(before);
  if (activated.length > 0) renameSync(`${world.remote}.away`, world.remote);
  return { code, activated };
}

const outcomes = async () =>
  (await host.records()).map(({ status: { outcome } }) => [outcome.event, outcome.code]);

test('a generation that takes the server away for longer than anybody looks is tried three times, no more', async () => {
  await push('calm');
  expect((await host.agent()).code).toBe(0);
  const revision = await push('flapping');
  const flap = ['switch flapping', 'switch calm'];
  expect(await cycleCutOff()).toEqual({ code: 50, activated: flap });
  // A newer revision of the same system is no new beginning.
  await server.commit({ files: { notes: 'one' } });
  expect(await cycleCutOff()).toEqual({ code: 50, activated: flap });
  expect(JSON.parse(host.journal())).toMatchObject({ failed: { attempts: 2, code: 50 } });
  expect(await cycleCutOff()).toEqual({ code: 40, activated: flap });
  expect(JSON.parse(host.journal())).toMatchObject({ failed: { attempts: 3, code: 40 } });
  expect(await cycleCutOff()).toEqual({ code: 40, activated: [] });
  const { outcome } = (await newest(host)).status;
  expect(outcome).toMatchObject({ event: 'rolled-back', code: 40 });
  expect(outcome.message).toMatch(
    /the Git server is out of reach.*attempt 3 of this system.*counts as failed/,
  );
  expect(outcome.attempted).not.toBe(revision);
  expect((await outcomes()).slice(-3)).toEqual([
    ...[
      ['rolled-back', 50],
      ['rolled-back', 50],
      ['rolled-back', 40],
    ],
  ]);

  await server.commit({ files: { notes: 'two' } });
  expect(await cycleCutOff()).toEqual({ code: 40, activated: [] });
  expect(await cycleCutOff()).toEqual({ code: 40, activated: [] });
  expect((await outcomes()).slice(-2)).toEqual([
    ['rolled-back', 40],
    ['failed', 40],
  ]);
});

test('once somebody resumed it, it may be tried as often again, and stays if it keeps its server', async () => {
  expect((await host.autark(['resume'])).code).toBe(0);
  expect((await cycleCutOff()).code).toBe(50);
  expect(JSON.parse(host.journal())).toMatchObject({ failed: { attempts: 1, code: 50 } });
  expect((await host.agent()).code).toBe(0);
  expect(host.motd()).toBe('flapping');
  expect(JSON.parse(host.journal())).toMatchObject({ failed: null });
});
