import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { version } from '../../shared/version.ts';
import { type FileChange, makeWorld, type World } from '../rig/world.ts';
import { must, run, type RanProgram } from '../rig/run.ts';
import { nodeAndGit, putSingleFile } from '../rig/single-file.ts';

/** The program as one file in a folder of its own, where no PATH leads to anything but node and git. */
let world: World;
let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  world = await makeWorld('autark-single');
  folder = join(world.dir, 'alone');
  mkdirSync(folder);
  await putSingleFile(join(folder, 'autark.mjs'));
  env = { ...world.env, PATH: await nodeAndGit(join(world.dir, 'bin')) };
});
afterAll(() => world.remove());

const autark = (args: readonly string[], cwd = folder): Promise<RanProgram> =>
  run(join(folder, 'autark.mjs'), args, { cwd, env });
const says = async (args: readonly string[], cwd?: string): Promise<string> => {
  const { code, stdout, stderr } = await autark(args, cwd);
  expect(code, stderr).toBe(0);
  return stdout;
};

/** With nothing but what /bin has at a known place: the build has the PATH of the agent. */
const files: Readonly<Record<string, FileChange>> = {
  'hosts/web1/build': {
    executable: [
      '#!/bin/sh',
      'set -eu',
      '/bin/mkdir "$out/bin"',
      '/bin/cp "hosts/$AUTARK_HOST/motd" "$out/motd"',
      '{',
      '  echo "#!/bin/sh"',
      `  echo '/bin/mkdir -p "$AUTARK_ROOT/etc" && /bin/cp "\${0%/*}/../motd" "$AUTARK_ROOT/etc/motd"'`,
      '} >"$out/bin/switch-to-configuration"',
      '/bin/chmod +x "$out/bin/switch-to-configuration"',
      '',
    ].join('\n'),
  },
  'hosts/web1/motd': 'hello\n',
};

test('it says its version, its help and its completion', async () => {
  expect(await says(['--version'])).toBe(`${version}\n`);
  expect(await says(['--help'])).toMatch(/^autark VERB/);
  expect(await says(['enroll', '--help'])).toContain('--install-to FILE');
  expect(await says(['completion', 'bash'])).toContain('complete');
});

test('what yargs says of a wrong call is what the package says', async () => {
  const call = ['enroll', '--host', '--remote', 'x'];
  const { code, stderr } = await autark(call);
  expect(code).toBe(2);
  expect(stderr).toBe((await world.autark(call)).stderr);
  expect(stderr).toMatch(/^autark: --\w+ needs a value/);
});

test('a fleet is begun, a machine joins it and deploys, and all of it verifies', async () => {
  const introduction = (await says(['init', '--key', world.adminKey, '--push'], world.clone)).trim();
  const root = world.root('web1');
  const there = ['--root', root, '--remote', world.remote, '--host', 'web1', '--introduction', introduction];
  const [fingerprint = ''] = (await says(['enroll', ...there])).split('\n');
  await world.commit(files, 'Say hello');
  const system = ['--system', 'exec', '--build', 'hosts/web1/build'];
  await says(['approve', 'web1', '--fingerprint', fingerprint, ...system, '--yes', '--push'], world.clone);
  await says(['agent', '--once', '--root', root]);
  expect(await must('/bin/cat', [join(root, 'etc/motd')])).toBe('hello');
  expect(await says(['status'], world.clone)).toMatch(/^web1 +converged /m);
  expect(await says(['verify'], world.clone)).toMatch(/: all is well$/m);
  // Nor did it leave anything beside itself.
  expect(readdirSync(folder)).toEqual(['autark.mjs']);
});
