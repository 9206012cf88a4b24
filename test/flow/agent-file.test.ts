import { mkdirSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { version } from '../../shared/version.ts';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed, newest } from '../rig/fleet.ts';
import { run, type RanProgram } from '../rig/run.ts';
import { agentOf, putSingleFile } from '../rig/single-file.ts';

/** A host whose agent was placed by `enroll --install-to`, and which runs `hello`. */
let fleet: Fleet & { host: FleetHost };
let host: FleetHost;
let file: string;
beforeEach(async () => {
  fleet = await makeDeployed('autark-agent-file');
  ({ host } = fleet);
  mkdirSync(join(fleet.world.dir, 'copied'));
  const copy = join(fleet.world.dir, 'copied/autark.mjs');
  file = join(fleet.world.dir, 'autark');
  await putSingleFile(copy);
  const { code, stderr } = await call(['enroll', '--install-to', file], copy);
  expect(code, stderr).toBe(0);
});
afterEach(() => fleet.world.remove());

const call = (args: readonly string[], program = file): Promise<RanProgram> =>
  run(process.execPath, [program, ...args, '--root', host.root], {
    ...{ cwd: fleet.world.dir, env: fleet.world.env },
  });
const cycles = async (code = 0): Promise<string> => {
  const ran = await call(['agent', '--once']);
  expect(ran.code, ran.stderr).toBe(code);
  return ran.stderr;
};
const push = (agent: string, motd = 'hello', lines: readonly string[] = []): Promise<string> =>
  fleet.server.commit({
    files: {
      ...execHost('web1', motd),
      'bin/autark.mjs': agent,
      'hosts/web1/check': { executable: '#!/bin/sh\ntest "$(cat "$AUTARK_ROOT/etc/motd")" != sick\n' },
      'fleet.yaml': fleet.fleetYaml('web1', ['agent: { file: bin/autark.mjs }', ...lines]),
    },
  });
const current = (): string => readlinkSync(host.path('var/lib/autark/agent/current'));
const versions = (): readonly string[] =>
  readdirSync(host.path('var/lib/autark/agent')).filter((name) => name.endsWith('.mjs'));
const says = async (): Promise<string> =>
  (await run(process.execPath, [file, '--version'], { env: fleet.world.env })).stdout.trim();
const last = async () => (await newest(host)).status as unknown as Record<string, unknown>;

test('a revision brings a newer agent, which confirms the generation and says so', async () => {
  const [before, records] = [current(), (await host.records()).length];
  const revision = await push(await agentOf('9.1.0'));
  await cycles();
  expect(await says()).toBe('9.1.0');
  expect(await last()).toMatchObject({
    agent: { version: '9.1.0' },
    system: { revision, generation: 2 },
    outcome: { event: 'deployed', code: 0 },
  });
  expect(await host.records()).toHaveLength(records + 1);
  expect(host.activations()).toEqual(['switch hello', 'switch hello']);
  // The one of before is what a person may go back to; `enroll` brought it, and no generation names it.
  expect(current()).not.toBe(before);

  await fleet.server.commit({ files: { notes: 'nothing changes' } });
  await cycles();
  expect(await last()).toMatchObject({ outcome: { event: 'unchanged' } });
  expect(host.activations()).toHaveLength(2);
});

test.each([
  ['ends at once', 'process.exit(3);\n'],
  ['is no program', 'not a program\n'],
  ['says that all is well and does nothing', 'process.exit(0);\n'],
])('an agent that %s is gone back from, by the one that it was to replace', async (_how, text) => {
  const before = current();
  const revision = await push(text, 'hello again');
  expect(await cycles(40)).toMatch(/came with an agent that did not confirm it in 2 attempts/);
  expect([current(), await says(), host.motd()]).toEqual([before, version, 'hello']);
  expect(await last()).toMatchObject({
    agent: { version },
    outcome: { event: 'rolled-back', code: 40, attempted: revision },
  });
  // Nor is it tried again, whichever revision brings it.
  const activations = host.activations();
  await cycles(40);
  await fleet.server.commit({ files: { notes: 'the same agent' } });
  await cycles(40);
  expect([current(), host.activations()]).toEqual([before, activations]);
  await push(await agentOf('9.1.0'), 'hello again');
  await cycles();
  expect([await says(), host.motd()]).toEqual(['9.1.0', 'hello again']);
});

test('a newer agent that finds its generation unwell goes back, and takes itself along', async () => {
  const before = current();
  await push(await agentOf('9.1.0'), 'sick', ['health: [ { command: hosts/web1/check, retries: 0 } ]']);
  await cycles(40);
  expect([current(), host.motd()]).toEqual([before, 'hello']);
  expect(await last()).toMatchObject({ outcome: { event: 'rolled-back', code: 40 } });
  // The agent of before looks at it for itself, and finds that it was tried.
  await cycles(40);
  expect(await last()).toMatchObject({ agent: { version }, outcome: { code: 40 } });
  expect(host.motd()).toBe('hello');
});

test('an older agent may come back by a revision, and by hand', async () => {
  await push(await agentOf('9.1.0'), 'one');
  await cycles();
  await push(await agentOf('9.2.0'), 'two');
  await cycles();
  expect(await says()).toBe('9.2.0');
  const back = await call(['rollback', '--yes']);
  expect(back.code, back.stderr).toBe(0);
  expect([await says(), host.motd()]).toEqual(['9.1.0', 'one']);
  expect((await call(['resume'])).code).toBe(0);
  await push(await agentOf('9.1.0'), 'three');
  await cycles();
  expect([await says(), host.motd()]).toEqual(['9.1.0', 'three']);
});

test('a revision that does not have the file fails in its build (30), and nothing changes', async () => {
  const before = [current(), versions()];
  const yaml = fleet.fleetYaml('web1', ['agent: { file: bin/nowhere.mjs }']);
  await fleet.server.commit({ files: { ...execHost('web1', 'other'), 'fleet.yaml': yaml } });
  expect(await cycles(30)).toMatch(/file bin\/nowhere\.mjs is not in this revision/);
  expect([current(), versions()]).toEqual(before);
  expect(host.motd()).toBe('hello');
});

test('an agent that nobody placed stays what it is, and says that it does not follow', async () => {
  await push(await agentOf('9.1.0'), 'other');
  const { code, stderr } = await host.agent();
  expect(code).toBe(0);
  expect(stderr).toMatch(/agent\.file is not followed on this machine/);
  expect([await says(), host.motd()]).toEqual([version, 'other']);
});

test('what is only tried comes with no agent', async () => {
  await fleet.server.commit({
    ref: 'refs/heads/testing/web1',
    files: {
      ...execHost('web1', 'try'),
      'bin/autark.mjs': 'broken\n',
      'fleet.yaml': fleet.fleetYaml('web1', ['agent: { file: bin/autark.mjs }']),
    },
  });
  await cycles();
  expect([await says(), host.motd()]).toEqual([version, 'try']);
});

test('agents that no generation needs any more are removed', async () => {
  for (const each of ['1', '2', '3', '4']) {
    await push(await agentOf(`9.${each}.0`), each, ['keep: 0']);
    await cycles();
  }
  expect(await says()).toBe('9.4.0');
  // What runs, and what ran before: two generations are what `keep: 0` leaves.
  expect(versions()).toHaveLength(2);
});

test('`check` says so when the file is missing', async () => {
  await push('x');
  await fleet.world.git(['pull', '--quiet']);
  const good = await fleet.world.autark(['check']);
  expect(good.code, good.stderr).toBe(0);
  await fleet.server.commit({
    files: { 'fleet.yaml': fleet.fleetYaml('web1', ['agent: { file: bin/nowhere.mjs }']) },
  });
  await fleet.world.git(['pull', '--quiet']);
  expect((await fleet.world.autark(['check'])).stderr).toMatch(/web1 needs bin\/nowhere\.mjs/);
});
