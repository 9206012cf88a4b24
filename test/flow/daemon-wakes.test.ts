import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../rig/daemon.ts';
import { makeDeployed } from '../rig/fleet.ts';
import { setInterval } from '../rig/interval.ts';
import { endAll } from '../rig/processes.ts';
import { must } from '../rig/run.ts';

const fleet = await makeDeployed('autark-wakes');
const { host, server, world } = fleet;
setInterval(host, '1h');
expect((await host.agent()).code).toBe(0);
let daemon: Daemon;

beforeEach(async () => {
  daemon = startDaemon(world, host);
  // The first poll is at once: nothing else could come within the hour.
  await daemon.next({ event: 'idle' });
});
afterEach(() => daemon.kill());
afterAll(async () => {
  endAll(world.dir);
  await world.remove();
});

const idles = (): number => daemon.events.filter(({ event }) => event === 'idle').length;
const hangUp = () =>
  daemon.after(
    () => {
      daemon.signal('SIGHUP');
    },
    { event: 'idle' },
  );
const push = (refspec: string): Promise<string> =>
  must('git', ['push', '--quiet', '--force', 'origin', refspec], { cwd: world.clone, env: world.env });

test('a push is seen at once, by whatever way it came into the remote', async () => {
  await world.git(['pull', '--quiet']);
  const revision = await world.commit({ 'hosts/web1/motd': 'pushed\n' }, 'Push it');
  await daemon.next({ event: 'recorded', record: 'deployed', revision });
  await daemon.next({ event: 'delivered' });
  expect(host.motd()).toBe('pushed');
  const direct = await server.commit({ files: { 'hosts/web1/motd': 'direct\n' } });
  await daemon.next({ event: 'recorded', record: 'deployed', revision: direct });
  expect(host.motd()).toBe('direct');
});

test('records and enrolments of other hosts wake nobody', async () => {
  for (const ref of ['state/web2', 'enroll/web2/0123456789abcdef', 'state/web3', 'enroll/web3/0'])
    await push(`HEAD:refs/heads/${ref}`);
  await push('HEAD~1:refs/heads/state/web2');
  await push(':refs/heads/state/web2');
  await push(':refs/heads/enroll/web2/0123456789abcdef');
  // One poll for each of these, and none that was caused by what came before.
  for (let time = 1; time <= 3; time += 1) await hangUp();
  expect(idles()).toBe(1 + 3);
});

test('a branch for testing wakes', async () => {
  // Looked at, and found to be behind main.
  await daemon.after(() => push('HEAD:refs/heads/testing/web1'), { event: 'new-head' });
  await daemon.after(() => push(':refs/heads/testing/web1'), { event: 'idle' });
});

test('packed refs wake, and so does what comes after', async () => {
  await server.git(['update-ref', 'refs/tags/one', 'refs/heads/main']);
  await daemon.after(() => server.git(['pack-refs', '--all']), { event: 'idle' });
  await hangUp();
  // Nothing but packed-refs is written.
  await daemon.after(() => server.git(['update-ref', '-d', 'refs/tags/one']), { event: 'idle' });
  const revision = await server.commit({ files: { 'hosts/web1/motd': 'after packing\n' } });
  await daemon.next({ event: 'recorded', record: 'deployed', revision });
});

test('SIGHUP asks for a poll, each time', async () => {
  for (let time = 2; time <= 5; time += 1) {
    await hangUp();
    expect(idles()).toBe(time);
  }
});
