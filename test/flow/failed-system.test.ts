import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { buildScript, execHost } from '../rig/exec-system.ts';
import { makeDeployed, newest, type Files } from '../rig/fleet.ts';
import { expectChain } from '../rig/sound.ts';

const fleet = await makeDeployed('autark-failed');
const { host, server, world } = fleet;
afterAll(() => world.remove());

/** What is called bad can only be activated on a machine that somebody has mended. */
const build = {
  executable: buildScript
    .replace('set -eu\n', 'set -eu\necho "$AUTARK_REVISION" >>"$AUTARK_ROOT/builds"\n')
    .replace(
      '\nEND\n',
      () => '\ncase "$(cat "$system/etc/motd")" in bad*) test -e "$AUTARK_ROOT/mended" ;; esac\nEND\n',
    ),
};
const system = (motd: string): Files => ({ ...execHost('web1', motd), 'hosts/web1/build': build });
const push = (motd: string): Promise<string> => server.commit({ files: system(motd) });
/** A newer revision whose system is the same. */
const pushBeside = (text: string): Promise<string> => server.commit({ files: { notes: text } });
const builds = (): readonly string[] => readFileSync(host.path('builds'), 'utf8').trim().split('\n');
const failed = (slot: 'failed' | 'failedTrial' = 'failed') =>
  (JSON.parse(host.journal()) as Record<typeof slot, { revision: string; attempts: number } | null>)[slot];
const resume = async (): Promise<string> => {
  const { code, stderr } = await host.autark(['resume']);
  expect(code, stderr).toBe(0);
  return stderr;
};
/** What one cycle activated, its exit code, and what it recorded. */
const run = async () => {
  const [activated, recorded] = [host.activations().length, (await host.records()).length];
  const { code } = await host.agent();
  return {
    code,
    activated: host.activations().slice(activated),
    recorded: (await host.records())
      .slice(recorded)
      .map(({ status: { outcome } }) => [outcome.event, outcome.code]),
  };
};
const tried = (motd: string, before: string) => ({
  code: 40,
  activated: [`switch ${motd}`, `switch ${before}`],
  recorded: [['rolled-back', 40]],
});
const refused = { code: 40, activated: [], recorded: [['failed', 40]] };
const still = { code: 40, activated: [], recorded: [] };

let revision = '';

test('a system that failed is not activated under a newer revision, and that is recorded once a head', async () => {
  revision = await push('bad one');
  expect(await run()).toEqual(tried('bad one', 'hello'));
  expect(failed()).toMatchObject({ revision, attempts: 1, code: 40 });
  expect(await run()).toEqual(still);

  const newer = await pushBeside('one');
  expect(await run()).toEqual(refused);
  const { outcome } = (await newest(host)).status;
  expect(outcome).toMatchObject({ event: 'failed', code: 40, attempted: newer, phase: 'guard' });
  expect(outcome.message).toMatch(
    new RegExp(`the system of this revision.*failed on this host before, at ${revision.slice(0, 7)}: gen`),
  );
  expect(outcome.remedy).toMatch(/changes the system.*`autark resume`/);
  expect(await run()).toEqual(still);

  await pushBeside('two');
  expect(await run()).toEqual(refused);
  expect(failed()).toMatchObject({ revision, attempts: 1 });
  expect(host.state('systems').length).toBeLessThanOrEqual(2);
});

test('resume has the same system tried once more, and once only', async () => {
  expect(await resume()).toMatch(
    new RegExp(`failed at ${revision.slice(0, 7)} may be tried again.*exited with code 1`),
  );
  expect(failed()).toBeNull();
  expect(await run()).toEqual(tried('bad one', 'hello'));
  expect(failed()).toMatchObject({ revision: await server.head(), attempts: 1 });
  await pushBeside('three');
  expect(await run()).toEqual(refused);
});

test('a revision that failed is not even built again for other settings', async () => {
  revision = await push('bad two');
  expect(await run()).toEqual(tried('bad two', 'hello'));
  const [built, file] = [builds(), host.path('etc/autark/agent.yaml')];
  writeFileSync(file, `${readFileSync(file, 'utf8')}interval: 7m\n`);
  expect(await run()).toEqual(refused);
  expect((await newest(host)).status.outcome.message).toMatch(/^this revision is not activated/);
  expect(builds()).toEqual(built);
});

test('what the system is judged by was mended: it is tried again', async () => {
  const yaml = fleet.fleetYaml('web1', ['timeouts: { switch: 2m }']);
  await server.commit({ files: { 'fleet.yaml': yaml } });
  expect(await run()).toEqual(tried('bad two', 'hello'));
  await pushBeside('four');
  expect(await run()).toEqual(refused);
});

test('another system is activated, and what failed is forgotten once that is confirmed', async () => {
  await push('good');
  expect(await run()).toEqual({ code: 0, activated: ['switch good'], recorded: [['deployed', 0]] });
  expect(failed()).toBeNull();
  await push('bad two');
  expect(await run()).toEqual(tried('bad two', 'good'));
});

test('what runs goes on to be left alone by a revert, and that forgets nothing', async () => {
  await push('good');
  expect(await run()).toEqual({ code: 0, activated: [], recorded: [['unchanged', 0]] });
  await push('bad two');
  expect(await run()).toEqual(refused);
});

test('a machine that was mended by hand deploys it after resume', async () => {
  writeFileSync(host.path('mended'), '');
  expect(await run()).toEqual(still);
  await resume();
  expect(await run()).toEqual({ code: 0, activated: ['switch bad two'], recorded: [['deployed', 0]] });
  expect(failed()).toBeNull();
  expect(await resume()).toBe('this machine was not held by hand: there is nothing to end\n');
  rmSync(host.path('mended'));
  expectChain(await host.records(), 'after all of it');
});

test('what could not even be gone back from is refused as that (41), and another system is activated', async () => {
  await push('bad three');
  const stuck = { code: 41, activated: ['switch bad three', 'switch bad two'], recorded: [['failed', 41]] };
  expect(await run()).toEqual(stuck);
  await pushBeside('five');
  expect(await run()).toEqual({ ...refused, code: 41, recorded: [['failed', 41]] });
  await push('calm');
  expect(await run()).toEqual({ code: 0, activated: ['switch calm'], recorded: [['deployed', 0]] });
});

test('each revision on testing is tried once, and what failed there keeps no head from being tried', async () => {
  const ref = 'refs/heads/testing/web1';
  const files = system('bad four');
  const first = await server.commit({ files, ref });
  const trial = { ...tried('', ''), activated: ['test bad four', 'test calm'] };
  expect(await run()).toEqual(trial);
  expect(failed('failedTrial')).toMatchObject({ revision: first, attempts: 1 });
  expect(failed()).toBeNull();

  const file = host.path('etc/autark/agent.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('7m', '8m'));
  expect(await run()).toEqual(refused);

  await server.commit({ files: { ...files, notes: 'six' }, ref });
  expect(await run()).toEqual(trial);
  await server.git(['update-ref', '-d', ref]);
  expect((await run()).activated).toEqual([]);
  await push('bad four');
  expect(await run()).toEqual(tried('bad four', 'calm'));
});
