import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { diagnose } from '../rig/diagnosis.ts';
import { makeDeployed } from '../rig/fleet.ts';
import { must, run } from '../rig/run.ts';
import { program, writeKey } from '../rig/world.ts';

const fleet = await makeDeployed('autark-doctor');
const { world, host, introduction } = fleet;
afterAll(() => world.remove());

const doctor = (cwd = world.clone, env: Readonly<Record<string, string>> = {}) =>
  diagnose(world, { cwd, env, root: join(world.dir, 'nowhere') });

/** Another clone of the same fleet, in which nobody has run anything. */
async function fresh(name: string): Promise<string> {
  const at = join(world.dir, name);
  await must('git', ['clone', '--quiet', world.remote, at], { env: world.env });
  return at;
}

/** As `join` may write it; where there is no autark on the PATH, as here, it lets the push through. */
const hook = '#!/bin/sh\ncommand -v autark >/dev/null || exit 0\nexec autark check\n';
function writeHook(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'pre-push'), hook, { mode: 0o755 });
}

test('the clone that made the fleet lacks a second key; one without a hook is told so', async () => {
  await world.git(['pull', '--quiet']);
  expect((await doctor()).findings.map(({ rule }) => rule)).toEqual(['admins']);
  rmSync(join(world.clone, '.git/hooks/pre-push'));
  const first = await doctor();
  expect(first.findings.map(({ rule, code }) => [rule, code])).toEqual([
    ['admins', 0],
    ['hook', 1],
  ]);
  expect(first).toMatchObject({ code: 1, ok: false });
  writeHook(join(world.clone, '.git/hooks'));
  const hooked = await doctor();
  // A single key is advice: the exit code says that all is well.
  expect(hooked.findings.map(({ rule }) => rule)).toEqual(['admins']);
  expect(hooked).toMatchObject({ code: 0, ok: true });
  const spare = await writeKey(join(world.dir, 'spare_key'), 'spare');
  const signers = readFileSync(join(world.clone, 'allowed_signers'), 'utf8');
  await world.commit({ allowed_signers: `${signers}spare ${spare.line}\n` }, 'A second key');
  expect((await doctor()).findings).toEqual([]);
});

test('a hook is looked for where git would: also below core.hooksPath', async () => {
  await world.git(['config', 'core.hooksPath', 'elsewhere']);
  expect((await doctor()).of('hook')?.where).toBe(join(world.clone, 'elsewhere/pre-push'));
  writeHook(join(world.dir, 'hooks'));
  await world.git(['config', 'core.hooksPath', join(world.dir, 'hooks')]);
  expect((await doctor()).is('hook')).toBe('well');
  chmodSync(join(world.dir, 'hooks/pre-push'), 0o644);
  expect((await doctor()).of('hook')?.remedy).toContain('chmod +x');
  await world.git(['config', '--unset', 'core.hooksPath']);
});

test('a new clone is told to join, and where the fleet begins', async () => {
  const clone = await fresh('second');
  const said = await doctor(clone);
  expect(said.of('signing')?.remedy).toContain('autark join');
  expect(said.of('introduction')?.remedy).toContain('git config autark.introduction');
  expect(said.of('key')).toMatchObject({ cause: 'there is no SSH key that could be read' });
  const stranger = join(world.dir, 'stranger_key');
  await writeKey(stranger, 'stranger');
  await run(process.execPath, [program, 'join', '--key', stranger], { cwd: clone, env: world.env });
  await must('git', ['config', 'autark.introduction', introduction], { cwd: clone, env: world.env });
  const joined = await doctor(clone);
  expect([joined.is('signing'), joined.is('introduction')]).toEqual(['well', 'well']);
  expect(joined.of('key')).toMatchObject({ code: 20 });
});

test('no remote, and one that cannot be reached, are told apart', async () => {
  const clone = await fresh('third');
  const git = (...args: readonly string[]) => must('git', args, { cwd: clone, env: world.env });
  await git('remote', 'set-url', 'origin', join(world.dir, 'gone.git'));
  expect((await doctor(clone)).of('remote')).toMatchObject({ code: 50, where: join(world.dir, 'gone.git') });
  await git('remote', 'remove', 'origin');
  const said = await doctor(clone);
  expect(said.of('remote')).toMatchObject({
    code: 1,
    remedy: expect.stringContaining('git remote add') as string,
  });
  expect([said.is('load'), said.is('hosts')]).toEqual(['unknown', 'unknown']);
});

test('a git that is too old to sign is named', async () => {
  const folder = join(world.dir, 'old');
  mkdirSync(folder, { recursive: true });
  const real = await must('sh', ['-c', 'command -v git'], { env: world.env });
  const script = `#!/bin/sh\n[ "$1" = version ] && { echo git version 2.33.1; exit 0; }\nexec ${real} "$@"\n`;
  writeFileSync(join(folder, 'git'), script, { mode: 0o755 });
  const said = await doctor(world.clone, { PATH: `${folder}:${world.env['PATH'] ?? ''}` });
  expect(said.of('git')).toMatchObject({
    code: 1,
    cause: expect.stringContaining('2.33.1 is too old') as string,
  });
});

test('slips in allowed_signers and fleet.yaml of the checked-out commit are named with their lines', async () => {
  const clone = await fresh('fourth');
  const git = (...args: readonly string[]) => must('git', args, { cwd: clone, env: world.env });
  const lines = readFileSync(join(clone, 'allowed_signers'), 'utf8').trimEnd().split('\n').length;
  const signers = readFileSync(join(clone, 'allowed_signers'), 'utf8');
  writeFileSync(join(clone, 'allowed_signers'), `${signers}bob  ssh-ed25519 AAAA\n`);
  writeFileSync(join(clone, 'fleet.yaml'), `${readFileSync(join(clone, 'fleet.yaml'), 'utf8')}colour: red\n`);
  await git('commit', '--quiet', '--all', '--message', 'Slips');
  const said = await doctor(clone);
  expect(said.of('allowed_signers')).toMatchObject({ code: 21, where: `allowed_signers:${lines + 1}` });
  expect(said.of('fleet.yaml')?.where).toMatch(/^fleet\.yaml:\d+:1$/);
  expect(said.is('load')).toBe('unknown');
});

test('a fleet that asks a forge too often is told the interval that fits', async () => {
  const clone = await fresh('fifth');
  const git = (...args: readonly string[]) => must('git', args, { cwd: clone, env: world.env });
  // The forge's name, and the repository of the test behind it.
  await git('config', `url.${world.remote}.insteadOf`, 'ssh://git@github.com/fleet.git');
  await git('remote', 'set-url', 'origin', 'ssh://git@github.com/fleet.git');
  expect((await doctor(clone)).is('load')).toBe('well');
  const yaml = readFileSync(join(clone, 'fleet.yaml'), 'utf8');
  const entries = Array.from(
    { length: 40 },
    (_, at) => `  h${at}: { system: { kind: exec, build: b }, interval: 2s }\n`,
  );
  writeFileSync(join(clone, 'fleet.yaml'), yaml.replace('hosts:\n', `hosts:\n${entries.join('')}`));
  await git('commit', '--quiet', '--all', '--message', 'Many');
  // 40 hosts every 2 s are 20 a second, and GitHub publishes 15; 41 hosts fit with 3 s.
  expect((await doctor(clone)).of('load')).toMatchObject({
    code: 1,
    where: expect.stringContaining('docs.github.com') as string,
    remedy: expect.stringContaining('`interval: 3s`') as string,
  });
});

test('hosts that failed are counted, and status says more', async () => {
  await fleet.server.commit({ files: { 'hosts/web1/build': { executable: '#!/bin/sh\nexit 3\n' } } });
  expect((await host.agent()).code).toBe(30);
  expect((await doctor()).is('hosts')).toBe('well');
  await world.autark(['status']);
  expect((await doctor()).of('hosts')).toMatchObject({ code: 1, cause: '1 failed (web1)' });
});

test('a head that hosts refuse is said here, and who waits for another', async () => {
  expect((await doctor()).is('head')).toBe('well');
  await fleet.server.commit({ files: { 'hosts/web1/build': { executable: '#!/bin/sh\n' } }, key: null });
  expect((await host.agent()).code).toBe(20);
  await world.autark(['status']);
  const said = await doctor();
  expect(said.of('head')).toMatchObject({
    code: 20,
    cause: expect.stringContaining('not signed') as string,
  });
  expect(said.of('hosts')).toMatchObject({ cause: '1 held (web1)' });
  expect(said.code).toBe(20);
});

test('where there is neither a host nor a clone, it says what to do (2)', async () => {
  const call = [program, 'doctor', '--root', join(world.dir, 'nowhere')];
  const { code, stdout, stderr } = await run(process.execPath, call, { cwd: world.dir, env: world.env });
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/no host \(no agent\.yaml\), and no clone of a fleet: .*autark enroll.*git clone/);
  const other = join(world.dir, 'other');
  await must('git', ['init', '--quiet', other], { env: world.env });
  const there = await run(process.execPath, call, { cwd: other, env: world.env });
  expect([there.code, there.stdout]).toEqual([2, '']);
  expect(there.stderr).toContain('autark init');
});
