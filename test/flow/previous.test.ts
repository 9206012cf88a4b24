import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { version } from '../../shared/version.ts';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed, newest } from '../rig/fleet.ts';
import { previousAgent, putPrevious } from '../rig/previous.ts';
import { run, type RanProgram } from '../rig/run.ts';
import { bundled } from '../rig/single-file.ts';

/** A host that the agent of before has enrolled and serves, beside one that this one does. */
let fleet: Fleet & { host: FleetHost };
let old: FleetHost;
let file: string;
beforeEach(async () => {
  fleet = await makeDeployed('autark-previous');
  mkdirSync(join(fleet.world.dir, 'copied'));
  const copy = join(fleet.world.dir, 'copied/autark.mjs');
  putPrevious(copy);
  old = await fleet.join('web2');
  file = join(fleet.world.dir, 'autark');
  const { code, stderr } = await call(['enroll', '--install-to', file], copy);
  expect(code, stderr).toBe(0);
  await fleet.server.commit({ files: execHost('web2', 'hello') });
  await cycles();
});
afterEach(() => fleet.world.remove());

const call = (args: readonly string[], program = file): Promise<RanProgram> =>
  run(process.execPath, [program, ...args, '--root', old.root], {
    ...{ cwd: fleet.world.dir, env: fleet.world.env },
  });
const cycles = async (code = 0): Promise<void> => {
  const ran = await call(['agent', '--once']);
  expect(ran.code, ran.stderr).toBe(code);
};
const says = async (host: FleetHost) => (await newest(host)).status as unknown as Record<string, unknown>;
const push = (agent: string, motd: string): Promise<string> =>
  fleet.server.commit({
    files: {
      ...execHost('web2', motd),
      'hosts/web2/check': { executable: '#!/bin/sh\ntest "$(cat "$AUTARK_ROOT/etc/motd")" != sick\n' },
      'bin/autark.mjs': agent,
      'fleet.yaml': fleet.fleetYaml('web2', [
        'agent: { file: bin/autark.mjs }',
        'health: [ { command: hosts/web2/check, retries: 0 } ]',
      ]),
    },
  });

test('it is another version', () => {
  expect(previousAgent().version).not.toBe(version);
});

test('both serve one fleet, and each verifies what the other says', async () => {
  expect(await says(old)).toMatchObject({ agent: { version: previousAgent().version } });
  await fleet.server.commit({ files: { ...execHost('web1', 'new'), ...execHost('web2', 'new') } });
  await cycles();
  expect((await fleet.host.agent()).code).toBe(0);
  expect(await says(fleet.host)).toMatchObject({ agent: { version } });
  await fleet.world.git(['pull', '--quiet']);
  const options = { cwd: fleet.world.clone, env: fleet.world.env };
  const theirs = (args: readonly string[]) => run(process.execPath, [file, ...args], options);
  const ours = (args: readonly string[]) => fleet.world.autark(args);
  for (const clone of [theirs, ours]) {
    const verified = await clone(['verify']);
    expect(verified.code, verified.stderr).toBe(0);
    const status = await clone(['status', '--json']);
    expect(status.code, status.stderr).toBe(0);
    expect(JSON.parse(status.stdout)).toMatchObject({
      hosts: ['web1', 'web2'].map((host) => ({ host, state: 'converged', verified: true })),
    });
  }
});

test('a revision brings this agent to a machine of the one before, and takes it back', async () => {
  const before = await says(old);
  await push((await bundled()).text, 'newer');
  await cycles();
  expect(await says(old)).toMatchObject({ agent: { version }, outcome: { event: 'deployed' } });
  expect(old.motd()).toBe('newer');
  await push(previousAgent().text, 'older');
  await cycles();
  expect(await says(old)).toMatchObject({
    agent: { version: previousAgent().version },
    outcome: { event: 'deployed' },
    installation: before['installation'],
  });
  expect(old.motd()).toBe('older');
});

test('the one before goes on from what this one left when its generation was not well', async () => {
  const revision = await push((await bundled()).text, 'sick');
  await cycles(40);
  expect(await says(old)).toMatchObject({
    outcome: { event: 'rolled-back', code: 40, attempted: revision },
  });
  expect(old.motd()).toBe('hello');
  await push(previousAgent().text, 'well');
  await cycles();
  expect(await says(old)).toMatchObject({ agent: { version: previousAgent().version } });
  expect(old.motd()).toBe('well');
});
