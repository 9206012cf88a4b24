import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Daemon, startDaemon } from '../rig/daemon.ts';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed, newest } from '../rig/fleet.ts';
import { forget, hangingBuild, hangingSwitch, hasBegun, release } from '../rig/hanging.ts';
import { setInterval } from '../rig/interval.ts';
import { patience } from '../rig/patience.ts';
import { allGone, endAll, isRunning } from '../rig/processes.ts';
import { expectAtRest, expectChain } from '../rig/sound.ts';
import { wrapGit } from '../rig/wrapped-git.ts';

const fleet = await makeDeployed('autark-stop');
const { host, server, world } = fleet;
setInterval(host, '1h');
const git = await wrapGit(world);
let daemon: Daemon;

beforeEach(async () => {
  forget(host);
  git.release();
  expect((await host.agent()).code).toBe(0);
  daemon = startDaemon(world, host, { env: git.env });
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

const hasHung = (): Promise<readonly number[]> =>
  vi.waitFor(() => {
    const pids = git.hung();
    if (pids.length === 0) throw new Error('no git hangs');
    return pids;
  }, patience);

/** Once it heard the signal it catches that no more, so that the next one ends it (SigCgt of proc_pid_status(5)). */
async function hasHeard(signal: NodeJS.Signals): Promise<void> {
  const bit = 1n << BigInt(constants.signals[signal] - 1);
  await vi.waitUntil(() => {
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1];
    return caught !== undefined && (BigInt(`0x${caught}`) & bit) === 0n;
  }, patience);
}

/** Ended as asked, with nothing left of it but what the next one needs. */
async function expectStopped(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  daemon.signal(signal);
  expect(await daemon.ended).toEqual({ code: 0, signal: null });
  expect(daemon.events.at(-1)).toMatchObject({ event: 'stopped', message: 'stopped: asked to stop' });
  expect(host.state('.').filter((name) => name.includes('.lock'))).toEqual([]);
  await allGone(host.root);
}

/** Another daemon brings the host to this revision and this text. */
async function expectContinued(revision: string, motd: string): Promise<void> {
  git.release();
  const mended = await host.agent();
  expect(mended.code, mended.stderr).toBe(0);
  expect(host.motd()).toBe(motd);
  expectAtRest(host, 'after a stop');
  expectChain(await host.records(), 'after a stop');
  expect((await newest(host)).status.system?.revision).toBe(revision);
}

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('ends an agent that sleeps', async () => {
    await expectStopped(signal);
  });

  test('ends one whose fetch hangs, and the fetch', async () => {
    git.hang('fetch');
    const revision = await server.commit({ files: execHost('web1', `fetch ${signal}`) });
    const pids = await hasHung();
    await expectStopped(signal);
    expect(pids.map(isRunning)).toEqual([false, false]);
    await expectContinued(revision, `fetch ${signal}`);
  });

  test('ends one that builds, and the whole build', async () => {
    const revision = await server.commit({ files: hangingBuild('web1', `build ${signal}`) });
    const { pids, out } = await hasBegun(host, 'build');
    const before = host.running();
    await expectStopped(signal);
    expect(pids.map(isRunning)).toEqual([false, false]);
    expect(existsSync(out)).toBe(false);
    expect(host.running()).toEqual(before);
    release(host, 'build');
    await expectContinued(revision, `build ${signal}`);
  });

  test('waits for a switch, and then ends; the next one confirms and records it', async () => {
    const revision = await server.commit({ files: hangingSwitch('web1', `switch ${signal}`) });
    const { pids } = await hasBegun(host, 'switch');
    daemon.signal(signal);
    await hasHeard(signal);
    expect((await host.agent()).code).toBe(11);
    expect(pids.map(isRunning)).toEqual([true, true]);
    release(host, 'switch');
    expect(await daemon.ended).toEqual({ code: 0, signal: null });
    expect(JSON.parse(host.journal())).toMatchObject({ phase: { at: 'confirm', revision } });
    const activations = host.activations();
    await expectContinued(revision, `switch ${signal}`);
    expect(host.activations()).toEqual(activations);
  });

  test('ends one whose push hangs, and keeps the record', async () => {
    git.hang('push');
    const revision = await server.commit({ files: execHost('web1', `push ${signal}`) });
    const pids = await hasHung();
    const before = await host.records();
    await expectStopped(signal);
    expect(pids.map(isRunning)).toEqual([false, false]);
    expect(host.state('outbox')).toHaveLength(1);
    await expectContinued(revision, `push ${signal}`);
    expect(await host.records()).toHaveLength(before.length + 1);
  });
});

test('a second agent is refused (11) while the first one builds, and changes nothing', async () => {
  const revision = await server.commit({ files: hangingBuild('web1', 'only one') });
  const { pids } = await hasBegun(host, 'build');
  const [journal, tip] = [host.journal(), await newest(host)];
  const second = await host.agent();
  expect(second.code).toBe(11);
  expect(second.stderr).toContain(`process ${daemon.pid} `);
  expect([host.journal(), await newest(host)]).toEqual([journal, tip]);
  expect(pids.map(isRunning)).toEqual([true, true]);
  release(host, 'build');
  await daemon.next({ event: 'recorded', record: 'deployed', revision });
});

test('a second signal ends a daemon at once that waits for a switch; the next one finishes it', async () => {
  const revision = await server.commit({ files: hangingSwitch('web1', 'impatient') });
  const { pids } = await hasBegun(host, 'switch');
  daemon.signal('SIGTERM');
  await hasHeard('SIGTERM');
  daemon.signal('SIGTERM');
  expect(await daemon.ended).toEqual({ code: null, signal: 'SIGTERM' });
  release(host, 'switch');
  await expectContinued(revision, 'impatient');
  expect(pids.map(isRunning)).toEqual([false, false]);
});
