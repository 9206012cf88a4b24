import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Daemon, startDaemon } from '../rig/daemon.ts';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed, newest } from '../rig/fleet.ts';
import { forget, hangingBuild, hangingSwitch, hasBegun, release } from '../rig/hanging.ts';
import { setInterval } from '../rig/interval.ts';
import { patience } from '../rig/patience.ts';
import { endAll } from '../rig/processes.ts';
import { expectAtRest, expectChain } from '../rig/sound.ts';

const fleet = await makeDeployed('autark-hold');
const { host, server, world } = fleet;
setInterval(host, '1h');
let daemon: Daemon;

beforeEach(async () => {
  forget(host);
  await host.autark(['resume']);
  await server.commit({ files: execHost('web1', 'calm') });
  expect((await host.agent()).code).toBe(0);
  daemon = startDaemon(world, host);
  await daemon.next({ event: 'idle' });
});
afterEach(async () => {
  await daemon.kill();
  endAll(host.root);
});
afterAll(async () => {
  endAll(world.dir);
  await world.remove();
});

const must = async (...args: readonly string[]): Promise<void> => {
  const { code, stderr } = await host.autark(args);
  expect(code, stderr).toBe(0);
};

test('a daemon notices at once that it is held, and that it is resumed', async () => {
  const held = daemon.next({ event: 'recorded', record: 'held' });
  await must('hold', '--reason', 'look here');
  await held;
  await daemon.next({ event: 'delivered' });
  expect((await newest(host)).status.outcome.message).toMatch(/look here/);
  await server.commit({ files: execHost('web1', 'waits') });
  await daemon.next({ event: 'recorded', record: 'held' });
  const resumed = daemon.next({ event: 'recorded', record: 'resumed' });
  await must('resume');
  await resumed;
  await daemon.next({ event: 'recorded', record: 'deployed' });
  expect(host.motd()).toBe('waits');
});

test('a hold that ends by itself ends at its time, without a poll', async () => {
  await must('hold', '--reason', 'a moment');
  await daemon.next({ event: 'recorded', record: 'held' });
  // Known to be held already: however late the daemon looks, it has an end to record.
  await must('hold', '--reason', 'a moment', '--until', '2s');
  await daemon.next({ event: 'recorded', record: 'resumed' });
});

test('held during a build, nothing is activated; nothing of the build is left, and it is made anew', async () => {
  await server.commit({ files: hangingBuild('web1', 'built') });
  await hasBegun(host, 'build');
  const before = host.running();
  // It does not wait for the build.
  await must('hold', '--reason', 'not now');
  release(host, 'build');
  await daemon.next({ event: 'recorded', record: 'held' });
  // The next cycle looks once more, for it is the first that begins with the hold; then it is quiet.
  await vi.waitFor(
    () => {
      daemon.signal('SIGHUP');
      expect(daemon.events.at(-1)?.event).toBe('idle');
    },
    { ...patience, interval: 200 },
  );
  expect(host.running()).toEqual(before);
  expectAtRest(host, 'held during a build', { daemon: true });
  await must('resume');
  await daemon.next({ event: 'recorded', record: 'deployed' });
  expect(host.motd()).toBe('built');
  await daemon.next({ event: 'delivered' });
  expectChain(await host.records(), 'after resume');
});

const isClaim = (name: string): boolean => name.startsWith('.cycle.lock.');

test('an activation that has begun is waited for, and is not undone', async () => {
  await server.commit({ files: hangingSwitch('web1', 'switching') });
  await hasBegun(host, 'switch');
  let isOver = false;
  const held = host.autark(['hold', '--reason', 'late']).then((ran) => {
    isOver = true;
    return ran;
  });
  // Its claim to the lock lies beside the lock for as long as it waits, and the hold is there before.
  await vi.waitUntil(() => host.state('.').some(isClaim), patience);
  expect(existsSync(host.path('var/lib/autark/hold.json'))).toBe(true);
  expect(isOver).toBe(false);
  release(host, 'switch');
  expect((await held).code).toBe(0);
  expect(host.motd()).toBe('switching');
  await daemon.next({ event: 'recorded', record: 'held' });
});

test('a person goes back beside the daemon, which then keeps still and delivers the record', async () => {
  await server.commit({ files: execHost('web1', 'wrong') });
  await daemon.next({ event: 'recorded', record: 'deployed' });
  await daemon.next({ event: 'delivered' });
  await must('rollback');
  expect(host.motd()).toBe('calm');
  await daemon.next({ event: 'delivered' });
  expect((await newest(host)).status.outcome).toMatchObject({ event: 'rolled-back', code: 10 });
  await daemon.after(
    () => {
      daemon.signal('SIGHUP');
    },
    { event: 'idle' },
  );
  expect(host.motd()).toBe('calm');
  expectAtRest(host, 'gone back beside a daemon', { daemon: true });
});

test('rollback does not wait for a build for ever: after a minute it says what to do (11), and nothing is changed', async () => {
  await server.commit({ files: hangingBuild('web1', 'slow') });
  await hasBegun(host, 'build');
  const before = host.running();
  const { code, stdout, stderr } = await host.autark(['rollback', '--yes']);
  expect([code, stdout]).toEqual([11, '']);
  expect(stderr).toMatch(/a build ends when the agent is stopped \(systemctl stop autark, or SIGTERM\)/);
  expect(host.running()).toEqual(before);
  expect(existsSync(host.path('var/lib/autark/hold.json'))).toBe(false);
  release(host, 'build');
  await daemon.next({ event: 'recorded', record: 'deployed' });
});
