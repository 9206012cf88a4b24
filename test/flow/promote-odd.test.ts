import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Fleet, makeFleet } from '../rig/fleet.ts';
import { must, run } from '../rig/run.ts';
import { program, writeKey } from '../rig/world.ts';

let fleet: Fleet;
beforeEach(async () => {
  fleet = await makeFleet('autark-promote');
});
afterEach(() => fleet.world.remove());

const parentsOf = async (id: string): Promise<readonly string[]> =>
  (await fleet.server.git(['log', '-1', '--format=%P', id])).split(' ');

test('promote stands on the last signed commit, also when this clone remembers an older one', async () => {
  const { server, world } = fleet;
  // It remembers the introduction.
  await world.autark(['status']);
  const signed = await server.commit({ files: { one: '1' } });
  await server.commit({ files: { two: '2' }, key: null });
  const promoted = (await world.mustAutark(['promote', '--yes', '--push'])).trim();
  expect(await parentsOf(promoted)).toEqual([signed]);
  expect(await server.head()).toBe(promoted);
});

test('promote stands on the last signed commit, also when it is the second parent of what was merged', async () => {
  const { server, world, introduction } = fleet;
  const signed = await server.commit({ files: { one: '1' } });
  const feature = await server.commit({ files: { two: '2' }, key: null, parents: [introduction], ref: null });
  await server.commit({ files: { one: '1', two: '2' }, key: null, parents: [feature, signed] });
  const promoted = (await world.mustAutark(['promote', '--yes', '--push'])).trim();
  expect(await parentsOf(promoted)).toEqual([signed]);
});

test('an admin who was removed cannot smuggle in what they signed before by a merge to be promoted', async () => {
  const { server, world, introduction } = fleet;
  const mallory = await writeKey(join(world.dir, 'mallory'), 'mallory');
  const signers = await server.git(['show', 'main:allowed_signers']);
  const both = await server.commit({ files: { allowed_signers: `${signers}\nmallory ${mallory.line}\n` } });
  const removal = await server.commit({ files: { allowed_signers: `${signers}\n` } });
  const evil = await server.commit({ files: { evil: 'x' }, key: mallory, parents: [both], ref: null });
  const merged = await server.commit({ files: { evil: 'x' }, key: null, parents: [evil, removal] });
  const ran = await world.autark(['promote', '--yes', '--push']);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(/joins 2 lines of signed commits/);
  expect(ran.stderr).toContain(evil);
  expect(ran.stderr).toContain(removal);
  expect(await server.head()).toBe(merged);
  expect(introduction).not.toBe(removal);
});

test('promote says what of others it would leave out', async () => {
  const { server, world } = fleet;
  const signed = await server.commit({ files: { one: '1' } });
  await server.commit({ files: { two: '2' }, key: null });
  const feature = await server.commit({
    files: { three: '3' },
    key: null,
    parents: [signed],
    ref: 'refs/heads/feature',
  });
  await world.git(['fetch', '--quiet']);
  const ran = await world.autark(['promote', feature, '--yes']);
  expect(ran.code).toBe(0);
  expect(ran.stderr).toMatch(/leaves out 1 unsigned commits of the server’s branch: git log/);
});

test('a branch that was set back is not promoted', async () => {
  const { server, world, introduction } = fleet;
  await server.commit({ files: { one: '1' } });
  await world.autark(['status']);
  const other = await server.commit({ files: { two: '2' }, parents: [introduction] });
  const ran = await world.autark(['promote', '--yes', '--push']);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(/git merge -s ours/);
  expect(await server.head()).toBe(other);
});

test('nor one that was set back below what this clone has seen, with something unsigned on top', async () => {
  const { server, world, introduction } = fleet;
  const seen = await server.commit({ files: { one: '1' } });
  await world.autark(['status']);
  const back = await server.commit({ files: { two: '2' }, key: null, parents: [introduction] });
  const ran = await world.autark(['promote', '--yes', '--push']);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(`git merge -s ours ${seen}`);
  expect(await server.head()).toBe(back);
});

test('lines that a program would hide are shown, or refused', async () => {
  const { server, world } = fleet;
  const signers = await server.git(['show', 'main:allowed_signers']);
  const mallory = await writeKey(join(world.dir, 'mallory'), 'mallory');
  const evil = `evil ${mallory.line}`;
  await server.commit({
    files: { '.gitattributes': '* -diff binary\n', allowed_signers: `${signers}\n${evil}\n` },
    key: null,
  });
  await world.git(['pull', '--quiet']);
  const shown = await world.autark(['promote']);
  expect(shown.stderr).toContain(`+${evil}`);
  await server.commit({ files: { allowed_signers: `${signers}\n# \u0000\n${evil}\n` }, key: null });
  const refused = await world.autark(['promote', '--yes']);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/there is a NUL in it/);
});

test('the hook refuses to set back what this clone has not even seen', async () => {
  const { server, world } = fleet;
  await must('git', ['commit', '--quiet', '--allow-empty', '--no-gpg-sign', '-m', 'x'], {
    cwd: world.clone,
    env: world.env,
  });
  await world.git(['reset', '--quiet', '--hard', 'HEAD~1']);
  const signed = await server.commit({ files: { one: '1' } });
  const pushed = await run('git', ['push', '--force', 'origin', 'HEAD:main'], {
    cwd: world.clone,
    env: world.env,
  });
  expect(pushed.code).not.toBe(0);
  expect(pushed.stderr).toMatch(/git fetch/);
  expect(await server.head()).toBe(signed);
});

test('the hook refuses to go below what was signed under what was not', async () => {
  const { server, world, introduction } = fleet;
  await server.commit({ files: { one: '1' } });
  const unsigned = await server.commit({ files: { two: '2' }, key: null });
  await world.git(['fetch', '--quiet']);
  const pushed = await run('git', ['push', '--force', 'origin', `${introduction}:main`], {
    cwd: world.clone,
    env: world.env,
  });
  expect(pushed.code).not.toBe(0);
  expect(pushed.stderr).toMatch(/S2 {2}the revision does not descend/);
  expect(await server.head()).toBe(unsigned);
});

test('what is judged does not say by whom: check takes the introduction from elsewhere', async () => {
  const { world } = fleet;
  const lone = join(world.dir, 'lone');
  await must('git', ['clone', '--quiet', world.remote, lone], { env: world.env });
  await must('git', ['remote', 'remove', 'origin'], { cwd: lone, env: world.env });
  const ran = await run(process.execPath, [program, 'check'], {
    cwd: lone,
    env: world.env,
  });
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(/nobody told this clone where the fleet begins.*--introduction COMMIT/);
});

test('a fleet.yaml of another fleet is refused before any host sees it', async () => {
  const { server, world } = fleet;
  const yaml = await server.git(['show', 'main:fleet.yaml']);
  await server.commit({
    files: { 'fleet.yaml': `${yaml.replace(/^fleet: .*/m, `fleet: ${'ab'.repeat(16)}`)}\n` },
  });
  await world.git(['pull', '--quiet']);
  const ran = await world.autark(['check']);
  expect(ran.code).toBe(21);
  expect(ran.stdout).toMatch(/it is of fleet (ab){16}, and the fleet was introduced as/);
});
