import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Daemon, startDaemon } from '../rig/daemon.ts';
import { makeDeployed } from '../rig/fleet.ts';
import { replaceFile, setInterval } from '../rig/interval.ts';
import { patience } from '../rig/patience.ts';
import { endAll } from '../rig/processes.ts';
import { expectAtRest } from '../rig/sound.ts';

const fleet = await makeDeployed('autark-settings');
const { host, world } = fleet;
const agentYaml = host.path('etc/autark/agent.yaml');
let daemon: Daemon;

beforeEach(async () => {
  setInterval(host, '1h');
  expect((await host.agent()).code).toBe(0);
  daemon = startDaemon(world, host);
  await daemon.next({ event: 'idle' });
});
afterEach(() => daemon.kill());
afterAll(async () => {
  endAll(world.dir);
  await world.remove();
});

test('a shorter interval in agent.yaml counts from now on', async () => {
  setInterval(host, '100ms');
  for (let polls = 0; polls < 4; polls += 1) await daemon.next({ event: 'idle' });
});

test('an agent.yaml that cannot be understood is said and does not end the daemon', async () => {
  const good = readFileSync(agentYaml, 'utf8');
  const said = await daemon.after(
    () => {
      replaceFile(agentYaml, `${good}intervall: 5s\n`);
    },
    { event: 'failure', code: 2 },
  );
  expect(said.message).toMatch(/intervall.*interval/);
  // It still looks, and says it again.
  await daemon.after(
    () => {
      daemon.signal('SIGHUP');
    },
    { event: 'failure', code: 2 },
  );
  await daemon.after(
    () => {
      replaceFile(agentYaml, good);
    },
    { event: 'idle' },
  );
});

test('an agent.yaml that is gone for a moment does not end the daemon', async () => {
  await daemon.after(
    () => {
      renameSync(agentYaml, `${agentYaml}.away`);
    },
    { event: 'failure', code: 2 },
  );
  await daemon.after(
    () => {
      renameSync(`${agentYaml}.away`, agentYaml);
    },
    { event: 'idle' },
  );
});

test('settings that change nothing of what runs make no new record', async () => {
  const before = await host.records();
  setInterval(host, '2h');
  await daemon.next({ event: 'stage', stage: 'build' });
  // That cycle ends without a word; the first quiet one comes after it.
  await vi.waitFor(
    () => {
      daemon.signal('SIGHUP');
      expect(daemon.events.at(-1)?.event).toBe('idle');
    },
    { ...patience, interval: 100 },
  );
  expectAtRest(host, 'after new settings', { daemon: true });
  expect(await host.records()).toEqual(before);
});

test('an agent.yaml that cannot be understood at the start ends it (2)', async () => {
  await daemon.kill();
  const good = readFileSync(agentYaml, 'utf8');
  writeFileSync(agentYaml, 'host: [\n');
  daemon = startDaemon(world, host);
  expect(await daemon.ended).toEqual({ code: 2, signal: null });
  writeFileSync(agentYaml, good);
});
