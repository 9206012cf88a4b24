import { existsSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type Daemon, startDaemon } from '../rig/daemon.ts';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed, newest } from '../rig/fleet.ts';
import { begun, forget, hangingBuild, hangingSwitch, hasBegun, release } from '../rig/hanging.ts';
import { setInterval } from '../rig/interval.ts';
import { patience } from '../rig/patience.ts';
import { endAll, isRunning } from '../rig/processes.ts';
import { expectAtRest, expectChain } from '../rig/sound.ts';
import { overlaps, watchfulBuild } from '../rig/watchful.ts';
import { type WrappedGit, wrapGit } from '../rig/wrapped-git.ts';

let fleet: Fleet & { host: FleetHost };
let host: FleetHost;
let git: WrappedGit;
let daemon: Daemon;

beforeAll(async () => {
  fleet = await makeDeployed('autark-newer');
  host = fleet.host;
  setInterval(host, '1h');
  git = await wrapGit(fleet.world);
});
beforeEach(async () => {
  forget(host);
  expect((await host.agent()).code).toBe(0);
  daemon = startDaemon(fleet.world, host, { env: git.env });
  await daemon.next({ event: 'idle' });
});
afterEach(async () => {
  await daemon.kill();
  endAll(host.root);
});
afterAll(async () => {
  endAll(fleet.world.dir);
  await fleet.world.remove();
});

const commit = (files: Parameters<typeof fleet.server.commit>[0]['files'], more = {}): Promise<string> =>
  fleet.server.commit({ files: files ?? {}, ...more });

test('a newer revision takes the place of the one being built, which leaves nothing', async () => {
  const older = await commit(hangingBuild('web1', 'older'));
  const { pids, out } = await hasBegun(host, 'build');
  await vi.waitFor(() => {
    expect(readFileSync(`${out}/heartbeat`, 'utf8')).not.toBe('');
  }, patience);
  expect(pids.map(isRunning)).toEqual([true, true]);
  const newer = await commit(execHost('web1', 'newer'));
  const { by } = await daemon.next({ event: 'superseded', revision: older });
  expect(by).toBe(newer);
  await daemon.next({ event: 'recorded', record: 'deployed', revision: newer });
  expect(pids.map(isRunning)).toEqual([false, false]);
  expect(existsSync(out)).toBe(false);
  await daemon.next({ event: 'delivered' });
  expect(host.motd()).toBe('newer');
  expectAtRest(host, 'after a newer revision', { daemon: true });
  const records = await host.records();
  expectChain(records, 'after a newer revision');
  expect(records.flatMap(({ parents }) => parents)).not.toContain(older);
});

test('a newer head that is not authentic does not, and is refused afterwards', async () => {
  const building = await commit(hangingBuild('web1', 'honest'));
  const { pids } = await hasBegun(host, 'build');
  const fetches = (): number => git.calls().filter((word) => word === 'fetch').length;
  const before = fetches();
  const forged = await commit(execHost('web1', 'forged'), { key: null });
  await vi.waitFor(() => {
    expect(fetches()).toBeGreaterThan(before);
  }, patience);
  // A second look, which only begins when the first one is over.
  daemon.signal('SIGHUP');
  await vi.waitFor(() => {
    expect(fetches()).toBeGreaterThan(before + 1);
  }, patience);
  expect(pids.map(isRunning)).toEqual([true, true]);
  release(host, 'build');
  await daemon.next({ event: 'recorded', record: 'deployed', revision: building });
  await daemon.next({ event: 'recorded', record: 'held', revision: forged });
  await daemon.next({ event: 'delivered' });
  expect(host.motd()).toBe('honest');
  expect(begun(host, 'build')).toHaveLength(1);
  expect((await newest(host)).status.outcome).toMatchObject({ code: 20, attempted: forged });
  await commit(execHost('web1', 'calm'), { parents: [building] });
});

test('during a switch it waits until the switch is over', async () => {
  const older = await commit(hangingSwitch('web1', 'switching'));
  const { pids } = await hasBegun(host, 'switch');
  const newer = await commit(execHost('web1', 'next'));
  daemon.signal('SIGHUP');
  expect(pids.map(isRunning)).toEqual([true, true]);
  release(host, 'switch');
  await daemon.next({ event: 'recorded', record: 'deployed', revision: older });
  await daemon.next({ event: 'recorded', record: 'deployed', revision: newer });
  expect(host.activations().slice(-2)).toEqual(['switch switching', 'switch next']);
  expect(daemon.events.map(({ event }) => event)).not.toContain('superseded');
});

test('a burst of pushes is built one at a time, and ends with the last one', async () => {
  const build = watchfulBuild('echo "$AUTARK_REVISION" >>"$AUTARK_ROOT/built"\nsleep 0.1\n');
  let last = '';
  for (let push = 1; push <= 12; push += 1) {
    last = await commit({ ...execHost('web1', `burst ${push}`), 'hosts/web1/build': build });
  }
  await daemon.next({ event: 'recorded', record: 'deployed', revision: last });
  await daemon.next({ event: 'delivered' });
  expect(host.motd()).toBe('burst 12');
  expect(overlaps(host)).toEqual([]);
  const built = readFileSync(host.path('built'), 'utf8').trimEnd().split('\n');
  expect(built.at(-1)).toBe(last);
  expectAtRest(host, 'after the burst', { daemon: true });
  expectChain(await host.records(), 'after the burst');
});
