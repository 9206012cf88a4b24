import { readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../rig/daemon.ts';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed, newest } from '../rig/fleet.ts';
import { setInterval } from '../rig/interval.ts';
import { currentLink, relink } from '../rig/links.ts';
import { endAll } from '../rig/processes.ts';

const fleet = await makeDeployed('autark-noticed');
const { host, server, world } = fleet;
setInterval(host, '1h');
await server.commit({ files: execHost('web1', 'second') });
expect((await host.agent()).code).toBe(0);
let daemon: Daemon;

beforeAll(async () => {
  daemon = startDaemon(world, host);
  await daemon.next({ event: 'idle' });
});
afterAll(async () => {
  await daemon.kill();
  endAll(host.root);
  await world.remove();
});

const idles = (): number => daemon.events.filter(({ event }) => event === 'idle').length;

test('a switch by hand is noticed at once, and so is that it was undone', async () => {
  relink(host, currentLink, 'generations/1');
  await daemon.next({ event: 'recorded', record: 'drifted' });
  await daemon.next({ event: 'delivered' });
  expect((await newest(host)).status).toHaveProperty('drift');
  relink(host, currentLink, 'generations/2');
  await daemon.next({ event: 'recorded', record: 'drifted' });
  await daemon.next({ event: 'delivered' });
  expect((await newest(host)).status).not.toHaveProperty('drift');
});

test('what is undone while the agent is busy is noticed right after, not at the interval', async () => {
  const hook = join(world.remote, 'hooks/post-receive');
  const current = host.path(currentLink);
  // While the record of the first switch is on its way.
  const script = `#!/bin/sh\nrm "$0"\nln -s generations/2 '${current}.new'\nmv -T '${current}.new' '${current}'\n`;
  writeFileSync(hook, script, { mode: 0o755 });
  relink(host, currentLink, 'generations/1');
  await daemon.next({ event: 'recorded', record: 'drifted' });
  await daemon.next({ event: 'recorded', record: 'drifted' });
  await daemon.next({ event: 'delivered' });
  expect(readlinkSync(current)).toBe('generations/2');
  expect((await newest(host)).status).not.toHaveProperty('drift');
});

test('a switch by the agent itself asks for no further poll', async () => {
  await daemon.after(
    () => {
      daemon.signal('SIGHUP');
    },
    { event: 'idle' },
  );
  const before = idles();
  const revision = await server.commit({ files: execHost('web1', 'third') });
  await daemon.next({ event: 'recorded', record: 'deployed', revision });
  await daemon.next({ event: 'delivered' });
  // The next one is the one that is asked for here.
  await daemon.after(
    () => {
      daemon.signal('SIGHUP');
    },
    { event: 'idle' },
  );
  expect(idles()).toBe(before + 1);
  expect(daemon.events.filter(({ record }) => record === 'drifted')).toHaveLength(4);
});
