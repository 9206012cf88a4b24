import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed, newest } from '../rig/fleet.ts';
import { reboots } from '../rig/reboots.ts';

let fleet: Fleet & { host: FleetHost };
let host: FleetHost;
const made: Fleet[] = [];
beforeEach(async () => {
  fleet = await makeDeployed('autark-boot');
  made.push(fleet);
  ({ host } = fleet);
});
afterAll(async () => {
  for (const { world } of made) await world.remove();
});

const check = [
  'activate: boot',
  'health: [ { command: hosts/web1/check } ]',
  'timeouts: { fetch: 3s, switch: 1m }',
];
const push = (motd: string, yaml: readonly string[] = check): Promise<string> =>
  fleet.server.commit({
    files: {
      ...execHost('web1', motd),
      'hosts/web1/check': { executable: '#!/bin/sh\ntest ! -e "$AUTARK_ROOT/ill"\n' },
      'fleet.yaml': fleet.fleetYaml('web1', yaml),
    },
  });
const deploys = async (code = 0): Promise<void> => {
  const ran = await host.agent();
  expect(ran.code, ran.stderr).toBe(code);
};
const events = async () => (await host.records()).map(({ status }) => status.outcome.event);
const journal = () => JSON.parse(host.journal()) as { lastGood: number; unproved: unknown };

test('a boot default is recorded as deployed, and is the last good one only once it has booted and is well', async () => {
  const revision = await push('two');
  await deploys();
  expect(host.activations().at(-1)).toBe('boot two');
  expect((await newest(host)).status).toMatchObject({
    rebootRequired: true,
    system: { revision, generation: 2 },
    outcome: { event: 'deployed', code: 0 },
  });
  expect(journal().lastGood).toBe(1);
  // Nothing happens until somebody reboots it.
  await deploys();
  expect(await events()).toEqual(['enrolled', 'deployed', 'deployed']);
  reboots(host);
  await deploys();
  expect(await events()).toEqual(['enrolled', 'deployed', 'deployed', 'rebooted']);
  expect((await newest(host)).status).toMatchObject({
    rebootRequired: false,
    system: { revision, generation: 2 },
  });
  expect(journal()).toMatchObject({ lastGood: 2, unproved: null });
  await deploys();
  expect(await events()).toHaveLength(4);
});

test('one that is not well after the reboot is gone back from, remembered, and not tried again', async () => {
  const good = (await newest(host)).status.system;
  const revision = await push('two');
  await deploys();
  writeFileSync(host.path('ill'), '');
  reboots(host);
  await deploys(40);
  expect(host.activations().slice(-2)).toEqual(['boot two', 'boot hello']);
  const back = (await newest(host)).status;
  expect(back.outcome).toMatchObject({ event: 'rolled-back', code: 40, attempted: revision });
  expect(back.outcome.message).toMatch(/generation 2 was activated and is not well: .*hosts\/web1\/check/);
  // Nobody watches here, and so nobody reboots it: the record says that it has to be.
  expect(back).toMatchObject({ system: good, rebootRequired: true });
  reboots(host);
  rmSync(host.path('ill'));
  await deploys(40);
  expect((await newest(host)).status).toMatchObject({
    ...{ system: good, rebootRequired: false, outcome: { event: 'rebooted' } },
  });
  await fleet.server.commit({ files: { notes: 'the same system' } });
  await deploys(40);
  expect(host.activations().slice(-1)).toEqual(['boot hello']);
});

test('one that follows before the reboot is gone back from to what has really run', async () => {
  const good = (await newest(host)).status.system;
  await push('two');
  await deploys();
  await push('three');
  await deploys();
  writeFileSync(host.path('ill'), '');
  reboots(host);
  await deploys(40);
  expect(host.activations().slice(-3)).toEqual(['boot two', 'boot three', 'boot hello']);
  expect((await newest(host)).status.system).toEqual(good);
});

test('a revision that changes nothing meanwhile is what runs after the reboot', async () => {
  await push('two');
  await deploys();
  const revision = await fleet.server.commit({ files: { notes: 'two' } });
  await deploys();
  reboots(host);
  await deploys();
  expect((await newest(host)).status).toMatchObject({
    ...{ system: { revision, generation: 2 }, outcome: { event: 'rebooted' } },
  });
});

test('what was broken before is not held against it', async () => {
  writeFileSync(host.path('ill'), '');
  await push('two');
  await deploys();
  reboots(host);
  await deploys();
  expect(journal()).toMatchObject({ lastGood: 2 });
});

test('a trial waits for the reboot, and is tried after it', async () => {
  await push('two');
  await deploys();
  const trial = await fleet.server.commit({
    ...{ files: execHost('web1', 'try'), ref: 'refs/heads/testing/web1' },
  });
  await deploys(10);
  expect(host.activations().at(-1)).toBe('boot two');
  expect((await newest(host)).status.outcome).toMatchObject({ event: 'held', attempted: trial });
  reboots(host);
  await deploys();
  expect(host.activations().at(-1)).toBe('test try');
  expect((await events()).slice(-3)).toEqual(['held', 'rebooted', 'testing']);
});

/** A server that stays away, seen after the reboot. */
const reboot = async (heartbeat: string) => {
  await push('two', [...check, `heartbeat: ${heartbeat}`]);
  await deploys();
  const away = `${fleet.world.remote}.away`;
  renameSync(fleet.world.remote, away);
  reboots(host);
  await host.agent();
  renameSync(away, fleet.world.remote);
  return readFileSync(host.path('activations'), 'utf8').trimEnd().split('\n').at(-1);
};

test('the pull path has to work after the reboot', async () => {
  expect(await reboot('24h')).toBe('boot hello');
  // The one before cannot reach it either, so it is no fault of the revision, which is tried again.
  await deploys();
  expect(host.activations().at(-1)).toBe('boot two');
});

test('but not for a host that may be silent: it may also be away from its server', async () => {
  expect(await reboot('never')).toBe('boot two');
  expect(journal()).toMatchObject({ lastGood: 2 });
});

test('a person who goes back before the reboot ends the waiting', async () => {
  await push('two');
  await deploys();
  expect((await host.autark(['rollback', '--yes'])).code).toBe(0);
  expect(host.motd()).toBe('hello');
  expect(journal()).toMatchObject({ unproved: null });
});
