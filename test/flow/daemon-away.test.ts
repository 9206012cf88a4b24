import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../rig/daemon.ts';
import { makeDeployed } from '../rig/fleet.ts';
import { setInterval } from '../rig/interval.ts';
import { endAll } from '../rig/processes.ts';
import { expectAtRest, expectChain } from '../rig/sound.ts';

const fleet = await makeDeployed('autark-away');
const { host, server, world } = fleet;
const away = `${world.remote}.away`;
let daemon: Daemon | undefined;

afterEach(() => daemon?.kill());
afterAll(async () => {
  endAll(world.dir);
  await world.remove();
});

// A remote that was no repository when the daemon looked cannot be watched: only the interval is left.
test('a remote that is away is tried again, and what it then has is found by the interval alone', async () => {
  setInterval(host, '500ms');
  const first = await server.commit({ files: { 'hosts/web1/motd': 'back\n' } });
  renameSync(world.remote, away);
  daemon = startDaemon(world, host);
  for (let tries = 0; tries < 3; tries += 1) await daemon.next({ event: 'failure', code: 50, stage: 'poll' });
  expect(host.motd()).toBe('hello');
  renameSync(away, world.remote);
  await daemon.next({ event: 'recorded', record: 'deployed', revision: first });
  await daemon.next({ event: 'delivered' });
  const second = await server.commit({ files: { 'hosts/web1/motd': 'by interval\n' } });
  await daemon.next({ event: 'recorded', record: 'deployed', revision: second });
});

test('records made while the server refuses them are kept, and pushed in order once it takes them', async () => {
  setInterval(host, '500ms');
  expect((await host.agent()).code).toBe(0);
  const hook = join(world.remote, 'hooks/pre-receive');
  mkdirSync(dirname(hook), { recursive: true });
  writeFileSync(hook, '#!/bin/sh\necho "not today"\nexit 1\n', { mode: 0o755 });
  const before = await host.records();
  daemon = startDaemon(world, host);
  const revisions = [];
  for (const motd of ['one', 'two', 'three']) {
    const revision = await server.commit({ files: { 'hosts/web1/motd': `${motd}\n` } });
    await daemon.next({ event: 'recorded', record: 'deployed', revision });
    await daemon.next({ event: 'failure', code: 51 });
    revisions.push(revision);
  }
  expect(host.state('outbox')).toHaveLength(3);
  rmSync(hook);
  await daemon.next({ event: 'delivered' });
  const records = await host.records();
  expectChain(records, 'after the server took them');
  expect(records.slice(before.length).map(({ parents }) => parents[1])).toEqual(revisions);
  await daemon.after(() => daemon?.signal('SIGHUP'), { event: 'idle' });
  expectAtRest(host, 'after the server took them', { daemon: true });
});
