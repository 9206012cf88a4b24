import { chmodSync, copyFileSync, existsSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Daemon, startDaemon } from '../rig/daemon.ts';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed, newest } from '../rig/fleet.ts';
import { begun, forget, hangingBuild, hasBegun } from '../rig/hanging.ts';
import { replaceFile, setInterval } from '../rig/interval.ts';
import { patience } from '../rig/patience.ts';
import { endAll, isRunning } from '../rig/processes.ts';
import { expectAtRest, expectChain } from '../rig/sound.ts';
import { wrapGit } from '../rig/wrapped-git.ts';

const fleet = await makeDeployed('autark-mended');
const { host, server, world } = fleet;
// Nothing here may pass because a poll happened to be due.
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

test('a newer head that is authentic but invalid ends the build of an older one, and is recorded (21)', async () => {
  const before = host.running();
  const { status: ran } = await newest(host);
  const older = await server.commit({ files: hangingBuild('web1', 'older') });
  const { pids, out } = await hasBegun(host, 'build');
  const invalid = await server.commit({ files: { 'fleet.yaml': 'version: 1\nhosts: [\n' } });
  const { by } = await daemon.next({ event: 'superseded', revision: older });
  expect(by).toBe(invalid);
  await daemon.next({ event: 'recorded', record: 'failed', revision: invalid });
  await daemon.next({ event: 'delivered' });
  expect(pids.map(isRunning)).toEqual([false, false]);
  expect(existsSync(out)).toBe(false);
  expect(begun(host, 'build')).toHaveLength(1);
  expect(host.running()).toEqual(before);
  const { status } = await newest(host);
  expect(status.outcome).toMatchObject({ event: 'failed', code: 21, attempted: invalid });
  expect(status).toMatchObject({ accepted: invalid, system: ran.system });
  // The older one is not built once it is all there is to build either.
  await daemon.after(
    () => {
      daemon.signal('SIGHUP');
    },
    { event: 'idle' },
  );
  expect(host.running()).toEqual(before);
  expectAtRest(host, 'after the invalid head', { daemon: true });
  expectChain(await host.records(), 'after the invalid head');
  const mended = await server.commit({
    files: { ...execHost('web1', 'mended'), 'fleet.yaml': fleet.fleetYaml('web1') },
  });
  await daemon.next({ event: 'recorded', record: 'deployed', revision: mended });
  await daemon.next({ event: 'delivered' });
});

test('a fetch that hangs when its agent is killed is ended by the next one', async () => {
  git.hang('fetch');
  const revision = await server.commit({ files: execHost('web1', 'after the kill') });
  const pids = await vi.waitFor(() => {
    const found = git.hung();
    if (found.length === 0) throw new Error('no git hangs');
    return found;
  }, patience);
  await daemon.kill();
  expect(pids.map(isRunning)).toEqual([true, true]);
  git.release();
  daemon = startDaemon(world, host, { env: git.env });
  await daemon.next({ event: 'recorded', record: 'deployed', revision });
  expect(pids.map(isRunning)).toEqual([false, false]);
  await daemon.next({ event: 'delivered' });
});

const agentYaml = host.path('etc/autark/agent.yaml');
const other = host.path('etc/autark/other_key');

/** Has the running daemon read an `agent.yaml` that names a key which others can read. */
async function nameOpenKey(): Promise<string> {
  const good = readFileSync(agentYaml, 'utf8');
  copyFileSync(host.path('var/lib/autark/key'), other);
  chmodSync(other, 0o644);
  const open = good.replace(/^key:.*\n/m, '') + `key: ${other}\n`;
  const said = await daemon.after(
    () => {
      replaceFile(agentYaml, open);
    },
    { event: 'failure', code: 2 },
  );
  expect(said.message).toMatch(/open to other users.*chmod 600/);
  return good;
}

test('an agent.yaml that names a key open to others is said; mended there, it is noticed at once', async () => {
  const good = await nameOpenKey();
  await daemon.after(
    () => {
      replaceFile(agentYaml, good);
    },
    { event: 'idle' },
  );
  // And it goes on as before.
  const revision = await server.commit({ files: execHost('web1', 'well again') });
  await daemon.next({ event: 'recorded', record: 'deployed', revision });
  await daemon.next({ event: 'delivered' });
});

test('the key itself mended, as the message says, is noticed at once', async () => {
  const good = await nameOpenKey();
  try {
    await daemon.after(
      () => {
        chmodSync(other, 0o600);
      },
      { event: 'stage', stage: 'build' },
    );
  } finally {
    replaceFile(agentYaml, good);
  }
});
