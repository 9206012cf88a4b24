import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeFleet } from '../rig/fleet.ts';
import { type GitDaemon, startGitDaemon } from '../rig/git-daemon.ts';
import { must } from '../rig/run.ts';
import { expectAtRest } from '../rig/sound.ts';
import { writeKey } from '../rig/world.ts';

let fleet: Fleet;
let host: FleetHost;
let server: GitDaemon;
let states: string;

beforeAll(async () => {
  fleet = await makeFleet('autark-states');
  const { dir, env } = fleet.world;
  host = fleet.at('web1');
  states = join(dir, 'states.git');
  await must('git', ['init', '--quiet', '--bare', states], { env });
  server = await startGitDaemon(dir);
  // As the NixOS module would have it: the settings are there before the machine is made known.
  const file = host.path('etc/autark/agent.yaml');
  mkdirSync(dirname(file), { recursive: true });
  const lines = {
    host: 'web1',
    remote: fleet.world.remote,
    stateRemote: server.url('states.git'),
    introduction: fleet.introduction,
    key: join(dir, 'web1_key'),
  };
  await writeKey(lines.key, 'web1');
  writeFileSync(
    file,
    Object.entries(lines)
      .map(([key, value]) => `${key}: ${value}\n`)
      .join(''),
  );
});
afterAll(async () => {
  await server.stop();
  await fleet.world.remove();
});

const refs = (repository: string): Promise<string> =>
  must('git', ['-C', repository, 'for-each-ref', '--format=%(refname)'], { env: fleet.world.env });

test('a host whose states live elsewhere is approved, seen and followed once the clone is told where', async () => {
  const { world } = fleet;
  const enrolled = await world.autark(['enroll', '--root', host.root]);
  expect(enrolled.code, enrolled.stderr).toBe(0);
  expect(await refs(states)).toMatch(/^refs\/heads\/enroll\/web1\/[0-9a-f]{16}$/);
  expect(await refs(world.remote)).toBe('refs/heads/main');
  const fingerprint = enrolled.stdout.split('\n')[0] ?? '';

  // Untold, a clone looks where it always does, and finds nobody.
  await world.git(['pull', '--quiet']);
  const approve = ['approve', 'web1', '--fingerprint', fingerprint, '--system', 'exec', '--yes'];
  expect((await world.autark([...approve, '--build', 'hosts/web1/build'])).code).not.toBe(0);

  await world.git(['config', 'autark.stateRemote', 'states']);
  const lost = await world.autark(['status']);
  expect(lost.code).toBe(64);
  expect(lost.stderr).toContain('autark.stateRemote names states, and this clone has no such remote');
  expect(lost.stderr).toContain('git remote add states URL');
  await world.git(['remote', 'add', 'states', server.url('states.git')]);

  await fleet.approve('web1', fingerprint);
  const revision = await fleet.server.commit({ files: execHost('web1', 'elsewhere') });
  const ran = await host.agent();
  expect(ran.code, ran.stderr).toBe(0);
  expect(host.motd()).toBe('elsewhere');
  expectAtRest(host, 'states elsewhere');
  expect(await refs(states)).toBe('refs/heads/state/web1');
  expect(await refs(world.remote)).toBe('refs/heads/main');
  // The other repository need not have the revision: it is no parent there (formats.md).
  expect(
    await must('git', ['-C', states, 'log', '-1', '--format=%P', 'state/web1'], { env: world.env }),
  ).toMatch(/^[0-9a-f]{40}$/);

  const status = await world.autark(['status', '--json']);
  expect(status.code, status.stdout + status.stderr).toBe(0);
  expect(JSON.parse(status.stdout)).toMatchObject({
    hosts: [{ host: 'web1', state: 'converged', revision, verified: true }],
  });
  const log = await world.autark(['log', 'web1', '--json']);
  const { entries } = JSON.parse(log.stdout) as { entries: { event: string; verified: boolean }[] };
  expect(entries.map(({ event, verified }) => [event, verified])).toEqual([
    ['deployed', true],
    ['enrolled', true],
  ]);

  // A server that is away is named, by the name that the clone has for it.
  await world.git(['remote', 'set-url', 'states', 'git://127.0.0.1:1/states.git']);
  const away = await world.autark(['status']);
  expect(away.stderr).toContain('the remote states could not be fetched from');

  await world.git(['config', '--unset', 'autark.stateRemote']);
  const untold = await world.autark(['status', '--json']);
  expect(JSON.parse(untold.stdout)).toMatchObject({ hosts: [{ host: 'web1', revision: null }] });
});
