import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../rig/daemon.ts';
import { buildScript, execHost } from '../rig/exec-system.ts';
import { makeDeployed, newest } from '../rig/fleet.ts';
import { begun, forget, hangingBuild, hangingSwitch, hasBegun, release } from '../rig/hanging.ts';
import { setInterval } from '../rig/interval.ts';
import { endAll, isRunning } from '../rig/processes.ts';
import { currentGeneration, expectAtRest, expectChain } from '../rig/sound.ts';

const fleet = await makeDeployed('autark-halfway');
const { host, server, world } = fleet;
setInterval(host, '1h');
let daemon: Daemon;

beforeEach(async () => {
  forget(host);
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

async function killAndRestart(): Promise<void> {
  await daemon.kill();
  daemon = startDaemon(world, host);
}

test('a build whose agent was killed is ended, and made anew elsewhere', async () => {
  const revision = await server.commit({ files: hangingBuild('web1', 'built') });
  const first = await hasBegun(host, 'build');
  await daemon.kill();
  // It outlives its agent, and goes on writing.
  expect(first.pids.map(isRunning)).toEqual([true, true]);
  daemon = startDaemon(world, host);
  await daemon.next({ event: 'recovered' });
  const second = await hasBegun(host, 'build', 2);
  expect(first.pids.map(isRunning)).toEqual([false, false]);
  expect(existsSync(first.out)).toBe(false);
  expect(second.out).not.toBe(first.out);
  release(host, 'build');
  await daemon.next({ event: 'recorded', record: 'deployed', revision });
  await daemon.after(
    () => {
      daemon.signal('SIGHUP');
    },
    { event: 'idle' },
  );
  expect(host.motd()).toBe('built');
  expectAtRest(host, 'after the kill', { daemon: true });
});

test('a switch whose agent was killed is begun again, once the first one is ended', async () => {
  const revision = await server.commit({ files: hangingSwitch('web1', 'switched') });
  const first = await hasBegun(host, 'switch');
  await killAndRestart();
  await hasBegun(host, 'switch', 2);
  expect(first.pids.map(isRunning)).toEqual([false, false]);
  release(host, 'switch');
  await daemon.next({ event: 'recorded', record: 'deployed', revision });
  expect(host.motd()).toBe('switched');
});

test('a switch that kills its agent each time is undone in the end, and not tried again', async () => {
  const before = currentGeneration(host);
  const revision = await server.commit({ files: hangingSwitch('web1', 'deadly') });
  await hasBegun(host, 'switch');
  await killAndRestart();
  const last = await hasBegun(host, 'switch', 2);
  await killAndRestart();
  await daemon.next({ event: 'recorded', record: 'rolled-back', revision });
  expect(last.pids.map(isRunning)).toEqual([false, false]);
  expect(host.motd()).toBe('calm');
  expect(currentGeneration(host).number).toBe(before.number);
  await daemon.next({ event: 'delivered' });
  const { status } = await newest(host);
  expect(status.outcome).toMatchObject({ event: 'rolled-back', code: 40, attempted: revision });
  expect(status.outcome.message).toMatch(/interrupted 2 times/);
  await daemon.after(
    () => {
      daemon.signal('SIGHUP');
    },
    { event: 'idle' },
  );
  expect(begun(host, 'switch')).toHaveLength(2);
  expectAtRest(host, 'after going back', { daemon: true });
});

test('a going back that is cut off each time is given up (41); a newer revision is still tried', async () => {
  const waiting = [
    'if [ -e "$AUTARK_ROOT/sick" ]; then',
    '  echo "$$" >>"$AUTARK_ROOT/switch-began"',
    '  while [ -e "$AUTARK_ROOT/sick" ]; do sleep 0.02; done',
    'fi',
    '',
  ].join('\n');
  const sickly = { executable: buildScript.replace('\nEND\n', () => `\n${waiting}END\n`) };
  const failing = { executable: buildScript.replace('\nEND\n', '\nexit 1\nEND\n') };
  const good = await server.commit({ files: { 'hosts/web1/build': sickly, 'hosts/web1/motd': 'sickly\n' } });
  await daemon.next({ event: 'recorded', record: 'deployed', revision: good });
  writeFileSync(host.path('sick'), '');
  const bad = await server.commit({ files: { 'hosts/web1/build': failing, 'hosts/web1/motd': 'bad\n' } });
  for (let time = 1; time <= 3; time += 1) {
    await hasBegun(host, 'switch', time);
    await killAndRestart();
  }
  await daemon.next({ event: 'recorded', record: 'failed', revision: bad });
  await daemon.next({ event: 'delivered' });
  expect((await newest(host)).status.outcome).toMatchObject({ event: 'failed', code: 41, attempted: bad });
  rmSync(host.path('sick'));
  const mended = await server.commit({ files: execHost('web1', 'mended') });
  await daemon.next({ event: 'recorded', record: 'deployed', revision: mended });
  await daemon.next({ event: 'delivered' });
  expect(host.motd()).toBe('mended');
  expectChain(await host.records(), 'after all of it');
});
