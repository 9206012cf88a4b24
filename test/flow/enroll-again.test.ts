import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startDaemon } from '../rig/daemon.ts';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeFleet } from '../rig/fleet.ts';
import { setInterval } from '../rig/interval.ts';
import { patience } from '../rig/patience.ts';
import { endAll } from '../rig/processes.ts';
import { expectAtRest, expectChain } from '../rig/sound.ts';

let fleet: Fleet;
let host: FleetHost & { readonly fingerprint: string };
beforeEach(async () => {
  fleet = await makeFleet('autark-enroll');
  host = await fleet.enrol('web1');
});
afterEach(async () => {
  endAll(fleet.world.dir);
  await fleet.world.remove();
});

const waiting = async (): Promise<string[]> =>
  (await fleet.server.git(['for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads/enroll'])).split(
    '\n',
  );
const enroll = () => fleet.world.autark(['enroll', '--root', host.root]);
const genesis = (): string => (JSON.parse(host.journal()) as { genesis: string }).genesis;

test('a new life with the key of one that was never approved takes its place, and can be approved', async () => {
  const [before, old] = [await waiting(), genesis()];
  expect(before).toEqual([expect.stringMatching(`^${old} `)]);
  const state = host.path('var/lib/autark');
  for (const name of readdirSync(state)) {
    if (!/^key(\.pub)?$/.test(name)) rmSync(`${state}/${name}`, { recursive: true });
  }
  const { code, stdout, stderr } = await enroll();
  expect(code, stderr).toBe(0);
  expect(stdout).toContain(host.fingerprint);
  expect(genesis()).not.toBe(old);
  // The same ref, for it is named by the key; the other genesis.
  expect(await waiting()).toEqual([before[0]?.replace(old, genesis())]);

  await fleet.server.commit({ files: execHost('web1', 'hello') });
  await fleet.world.git(['pull', '--quiet']);
  await fleet.world.mustAutark([
    ...['approve', 'web1', '--fingerprint', host.fingerprint, '--system', 'exec'],
    ...['--build', 'hosts/web1/build', '--yes', '--push'],
  ]);
  expect(await fleet.server.git(['show', 'main:fleet.yaml'])).toContain(`genesis: ${genesis()}`);
  expect((await host.agent()).code).toBe(0);
  expect(host.motd()).toBe('hello');
  expect((await host.records())[0]?.id).toBe(genesis());
  expectChain(await host.records(), 'after the second life');
  expectAtRest(host, 'after the second life');
  expect(await waiting()).toEqual(['']);
});

test('enroll beside an agent that runs is refused (11), and changes nothing', async () => {
  setInterval(host, '1h');
  const daemon = startDaemon(fleet.world, host);
  try {
    await daemon.next({ event: 'failure', code: 10 });
    // Said first, then written.
    await vi.waitFor(() => {
      expect(host.journal()).toContain('"held"');
    }, patience);
    const [journal, refs] = [host.journal(), await waiting()];
    const yaml = readFileSync(host.path('etc/autark/agent.yaml'), 'utf8');
    const { code, stdout, stderr } = await enroll();
    expect(code).toBe(11);
    expect(stdout).toBe('');
    expect(stderr).toMatch(new RegExp(`^autark: .*process ${daemon.pid} .*; \\S+`, 'm'));
    expect([host.journal(), await waiting()]).toEqual([journal, refs]);
    expect(readFileSync(host.path('etc/autark/agent.yaml'), 'utf8')).toBe(yaml);
    daemon.signal('SIGTERM');
    expect((await daemon.ended).code).toBe(0);
  } finally {
    await daemon.kill();
  }
  expect((await enroll()).code).toBe(0);
});
