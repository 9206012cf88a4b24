import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cutting } from '../rig/cutting.ts';
import { type Fleet, type FleetHost, makeDeployed, newest } from '../rig/fleet.ts';

const check = 'health: [ { command: hosts/web1/check, retries: 0 } ]';
const program = {
  executable:
    '#!/bin/sh\necho "$(cat "$AUTARK_ROOT/etc/motd") is shown"\ngrep -q good "$AUTARK_ROOT/etc/motd"\n',
};

let fleet: Fleet & { host: FleetHost };
let host: FleetHost;

beforeAll(async () => {
  fleet = await makeDeployed('autark-health');
  host = fleet.host;
});
afterAll(() => fleet.world.remove());

function push(motd: string): Promise<string> {
  const yaml = fleet.fleetYaml('web1', [check, 'timeouts: { fetch: 3s }']);
  const files = { ...cutting(motd, fleet.world.remote), 'hosts/web1/check': program, 'fleet.yaml': yaml };
  return fleet.server.commit({ files });
}

test('a check that failed before is not held against the new generation, and the log says so', async () => {
  await push('poor');
  const { code, stderr } = await host.agent();
  expect(stderr).toMatch(/command hosts\/web1\/check failed before the switch/);
  expect([code, host.motd()]).toEqual([0, 'poor']);
  expect((await newest(host)).status.outcome.event).toBe('deployed');
});

test('a check that was good and fails takes the host back, and the record says which and why', async () => {
  await push('good one');
  expect((await host.agent()).code).toBe(0);
  const revision = await push('worse');
  const { code, stderr } = await host.agent();
  expect([code, host.motd()]).toEqual([40, 'good one']);
  expect(stderr).toMatch(/worse is shown/);
  const { outcome } = (await newest(host)).status;
  expect(outcome).toMatchObject({ event: 'rolled-back', code: 40, attempted: revision });
  expect(outcome.message).toMatch(/health check command hosts\/web1\/check exited with code 1/);
  expect((await host.agent()).code).toBe(40);
});

test('an activation that cuts the host off from its server is undone, and held to be bad (P3)', async () => {
  const revision = await push('good two');
  writeFileSync(host.path('cut'), '');
  expect((await host.agent()).code).toBe(40);
  expect([host.motd(), existsSync(fleet.world.remote)]).toEqual(['good one', true]);
  const { outcome } = (await newest(host)).status;
  expect(outcome).toMatchObject({ event: 'rolled-back', code: 40, attempted: revision });
  expect(outcome.message).toMatch(/the Git server is out of reach/);
  const activations = host.activations();
  expect((await host.agent()).code).toBe(40);
  expect(host.activations()).toEqual(activations);
});

test('where the server is gone for the old generation too, the revision is deployed once it is back (P3)', async () => {
  await push('good three');
  writeFileSync(host.path('cut'), '');
  writeFileSync(host.path('lost'), '');
  expect((await host.agent()).code).toBe(50);
  expect(host.motd()).toBe('good one');
  const activations = host.activations();
  expect((await host.agent()).code).toBe(50);
  expect(host.activations()).toEqual(activations);

  renameSync(`${fleet.world.remote}.away`, fleet.world.remote);
  rmSync(host.path('lost'));
  expect((await host.agent()).code).toBe(0);
  expect(host.motd()).toBe('good three');
  const records = await host.records();
  expect(records.slice(-2).map(({ status }) => [status.outcome.event, status.outcome.code])).toEqual([
    ['rolled-back', 50],
    ['deployed', 0],
  ]);
});
