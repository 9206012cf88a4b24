import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, type Logged, startDaemon } from '../rig/daemon.ts';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed } from '../rig/fleet.ts';
import { type Front, type Manner, startFront } from '../rig/front.ts';
import { type GitDaemon, startGitDaemon } from '../rig/git-daemon.ts';
import { setSettings } from '../rig/interval.ts';
import { endAll, processesOf } from '../rig/processes.ts';
import { expectChain } from '../rig/sound.ts';

let fleet: Fleet & { host: FleetHost };
let host: FleetHost;
let server: GitDaemon;
let front: Front;
let daemon: Daemon | undefined;

beforeAll(async () => {
  fleet = await makeDeployed('autark-hostile');
  host = fleet.host;
  server = await startGitDaemon(fleet.world.dir);
  front = await startFront(server.port);
  await fleet.server.commit({
    files: { 'fleet.yaml': fleet.fleetYaml('web1', ['timeouts: { fetch: 2s }']) },
  });
  setSettings(host, { remote: `git://127.0.0.1:${front.port}/fleet.git`, interval: '100ms' });
  expect((await host.agent()).code).toBe(0);
});
afterAll(async () => {
  await daemon?.kill();
  await front.stop();
  await server.stop();
  endAll(fleet.world.dir);
  await fleet.world.remove();
});

async function saying(running: Daemon, cause: RegExp): Promise<Logged> {
  for (;;) {
    const said = await running.next({ event: 'failure', code: 50, stage: 'poll' });
    if (cause.test(said.message)) return said;
  }
}

const noServer = /does not speak as a Git server does/;
const slow = /git fetch took longer than 2 s/;

test.each<[string, Manner, RegExp]>([
  ['says nothing', { kind: 'silent' }, slow],
  ['says one byte a second', { kind: 'drip', bytes: '00' }, slow],
  ['stops halfway', { kind: 'stalls', after: 60 }, slow],
  ['talks garbage', { kind: 'says', bytes: 'garbage, and more of it\n' }, noServer],
  ['never stops talking', { kind: 'floods', bytes: `${'x'.repeat(1000)}\n` }, noServer],
  ['hangs up', { kind: 'closes' }, /ended the connection/],
])(
  'a server that %s: the system runs on, the cause is named, and a running agent finds what is new once it is honest',
  async (what, manner, cause) => {
    front.be({ kind: 'honest' });
    daemon = startDaemon(fleet.world, host);
    try {
      await daemon.next({ event: 'idle' });
      const before = host.running();
      front.be(manner);
      // A fetch that was under way when the server turned bad may end in another way.
      const { message } = await saying(daemon, cause);
      expect(message).toContain(`(git://127.0.0.1:${front.port}/fleet.git); `);
      const revision = await fleet.server.commit({ files: execHost('web1', what) });
      await daemon.next({ event: 'failure', code: 50, stage: 'poll' });
      expect(host.running()).toEqual(before);
      front.be({ kind: 'honest' });
      await daemon.next({ event: 'recorded', record: 'deployed', revision });
      await daemon.next({ event: 'delivered' });
      expect(host.motd()).toBe(what);
      expectChain(await host.records(), what);
      daemon.signal('SIGTERM');
      expect((await daemon.ended).code).toBe(0);
    } finally {
      await daemon.kill();
    }
    expect(processesOf(host.path('var/lib/autark/git'))).toEqual([]);
  },
);

test('a server that takes a push and never answers: the record waits, and is not pushed twice', async () => {
  front.be({ kind: 'honest' });
  const before = await host.records();
  const hook = join(fleet.world.remote, 'hooks/post-receive');
  // The ref has moved when this runs; the answer comes only after it.
  writeFileSync(hook, '#!/bin/sh\nexec sleep 30\n', { mode: 0o755 });
  const revision = await fleet.server.commit({ files: execHost('web1', 'no answer') });
  const ran = await host.agent();
  expect(ran.code).toBe(50);
  expect(ran.stderr).toContain('git push took longer than 2 s');
  expect(host.motd()).toBe('no answer');
  writeFileSync(hook, '#!/bin/sh\nexit 0\n');
  expect((await host.agent()).code).toBe(0);
  const records = await host.records();
  expect(records.slice(before.length).map(({ parents }) => parents[1])).toEqual([revision]);
  expectChain(records, 'no answer');
});
