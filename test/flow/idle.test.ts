import { afterAll, afterEach, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../rig/daemon.ts';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed } from '../rig/fleet.ts';
import { setInterval } from '../rig/interval.ts';
import { endAll } from '../rig/processes.ts';
import { wrapGit } from '../rig/wrapped-git.ts';

const fleet = await makeDeployed('autark-idle');
const { host, server, world } = fleet;
setInterval(host, '1h');
expect((await host.agent()).code).toBe(0);
const git = await wrapGit(world);
let daemon: Daemon | undefined;

afterEach(async () => {
  await daemon?.kill();
  endAll(host.root);
});
afterAll(() => world.remove());

/** First words of all gits of an agent that begins anew and polls three times. Without `cat-file`, nothing was read. */
async function gitsOfThreePolls(): Promise<readonly string[]> {
  const before = git.calls().length;
  const started = startDaemon(world, host, { env: git.env });
  daemon = started;
  await started.next({ event: 'idle' });
  for (let poll = 2; poll <= 3; poll += 1) {
    await started.after(
      () => {
        started.signal('SIGHUP');
      },
      { event: 'idle' },
    );
  }
  return git.calls().slice(before);
}

test('a poll with nothing new is one fetch: it reads no object and walks no commit', async () => {
  expect(await gitsOfThreePolls()).toEqual(['fetch', 'fetch', 'fetch']);
});

test('neither does one beside a branch for testing that main has left behind, once that was found out', async () => {
  const revision = await server.commit({
    files: execHost('web1', 'tried'),
    ref: 'refs/heads/testing/web1',
  });
  expect((await host.agent()).code).toBe(0);
  expect(host.motd()).toBe('tried');
  await server.commit({ files: execHost('web1', 'main') });
  const { code, stderr } = await host.agent();
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('it is not tried');
  expect(host.motd()).toBe('main');
  expect(await gitsOfThreePolls()).toEqual(['fetch', 'fetch', 'fetch']);
  expect(await server.git(['rev-parse', 'refs/heads/testing/web1'])).toBe(revision);
});
