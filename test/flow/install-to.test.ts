import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Fleet, makeFleet } from '../rig/fleet.ts';
import { run, type RanProgram } from '../rig/run.ts';
import { putSingleFile } from '../rig/single-file.ts';

let fleet: Fleet;
let root: string;
/** Where a person copied the program, and where it is to be installed. */
let copy: string;
let file: string;
beforeEach(async () => {
  fleet = await makeFleet('autark-install');
  root = fleet.world.root('web1');
  for (const folder of ['bin', 'copied']) mkdirSync(join(fleet.world.dir, folder));
  copy = join(fleet.world.dir, 'copied/autark.mjs');
  file = join(fleet.world.dir, 'bin/autark');
  await putSingleFile(copy);
});
afterEach(() => fleet.world.remove());

const agents = (...parts: string[]): string => join(root, 'var/lib/autark/agent', ...parts);
const digestOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
const call = (program: string, args: readonly string[]): Promise<RanProgram> =>
  run(process.execPath, [program, ...args, '--root', root], { cwd: fleet.world.dir, env: fleet.world.env });
const install = (program = copy, to = 'bin/autark'): Promise<RanProgram> => {
  const there = ['--remote', fleet.world.remote, '--host', 'web1', '--introduction', fleet.introduction];
  return call(program, ['enroll', ...there, '--install-to', to]);
};
const installs = async (program?: string, to?: string): Promise<void> => {
  const { code, stderr } = await install(program, to);
  expect(code, stderr).toBe(0);
};
const refuses = async (saying: RegExp, program?: string, to?: string): Promise<void> => {
  const before = existsSync(agents()) ? readdirSync(agents()) : null;
  const { code, stderr } = await install(program, to);
  expect(stderr).toMatch(saying);
  expect(code).toBe(2);
  expect(existsSync(agents()) ? readdirSync(agents()) : null).toEqual(before);
};
/** The layout, exactly: others build on it. */
const expectInstalled = (digests: readonly string[], current: string, at = file): void => {
  const versions = digests.map((digest) => `${digest}.mjs`);
  expect(readdirSync(agents()).sort()).toEqual([...versions, 'current', 'installed'].sort());
  for (const digest of digests) {
    expect(digestOf(agents(`${digest}.mjs`))).toBe(digest);
    expect(statSync(agents(`${digest}.mjs`)).mode & 0o7777).toBe(0o755);
  }
  expect(statSync(agents()).mode & 0o7777).toBe(0o755);
  expect(readlinkSync(agents('current'))).toBe(`${current}.mjs`);
  expect(readlinkSync(at)).toBe(agents('current'));
  expect(readFileSync(agents('installed'), 'utf8')).toBe(`${at}\n`);
};

test('the file becomes a link to a copy, which does without the first one and can be asked to do it again', async () => {
  const digest = digestOf(copy);
  await installs();
  expectInstalled([digest], digest);
  rmSync(copy);
  await installs(file);
  expectInstalled([digest], digest);
  expect((await call(file, ['enroll'])).code).toBe(0);
  expectInstalled([digest], digest);
});

test('a newer file takes its place, and the older one stays', async () => {
  await installs();
  const older = digestOf(copy);
  await putSingleFile(copy, '// newer\n');
  await installs();
  expectInstalled([older, digestOf(copy)], digestOf(copy));
  expect(digestOf(file)).toBe(digestOf(copy));
});

test('a copy that a person put there is replaced by the link; so is a link that goes to a version', async () => {
  const digest = digestOf(copy);
  await putSingleFile(file);
  await installs();
  expectInstalled([digest], digest);
  rmSync(file);
  symlinkSync(agents(`${digest}.mjs`), file);
  await installs();
  expectInstalled([digest], digest);
});

test('stopped at any point, the next call finishes it', async () => {
  const digest = digestOf(copy);
  await installs();
  const states: Record<string, () => void> = {
    'half a version': () => {
      for (const each of [file, agents('installed'), agents('current')]) rmSync(each);
      truncateSync(agents(`${digest}.mjs`), 1000);
    },
    'a version that is not current': () => {
      for (const each of [file, agents('installed'), agents('current')]) rmSync(each);
    },
    'no word of where it is': () => {
      for (const each of [file, agents('installed')]) rmSync(each);
    },
    'no link': () => {
      rmSync(file);
    },
    'drafts of a writer that is gone': () => {
      for (const name of ['current', `${digest}.mjs`])
        writeFileSync(agents(`.${name}.4194303.1.0123456789abcdef.autark-tmp`), 'half');
      symlinkSync('nowhere', join(fleet.world.dir, 'bin/.autark.4194303.1.0123456789abcdef.autark-tmp'));
    },
  };
  for (const [name, make] of Object.entries(states)) {
    make();
    expect((await install()).code, name).toBe(0);
    expectInstalled([digest], digest);
    expect(readdirSync(join(fleet.world.dir, 'bin')), name).toEqual(['autark']);
  }
});

test('a version that somebody wrote over through the link is written anew', async () => {
  await installs();
  writeFileSync(file, 'broken');
  await installs();
  expectInstalled([digestOf(copy)], digestOf(copy));
});

test("a stranger's file, link or folder is left alone", async () => {
  writeFileSync(file, '#!/bin/sh\n');
  await refuses(/something else is there/);
  expect(readFileSync(file, 'utf8')).toBe('#!/bin/sh\n');
  rmSync(file);
  symlinkSync(copy, file);
  await refuses(/something else is there/);
  expect(readlinkSync(file)).toBe(copy);
  rmSync(file);
  mkdirSync(file);
  await refuses(/something else is there/);
  await refuses(/its folder is not there .*copied\/autark\.mjs\)/, copy, 'copied/autark.mjs/x');
  await refuses(/its folder is not there .*missing\)/, copy, 'missing/autark');
});

test('the program as a package cannot be installed so', async () => {
  const { code, stderr } = await fleet.world.autark([
    ...['enroll', '--root', root, '--remote', fleet.world.remote, '--host', 'web1'],
    ...['--introduction', fleet.introduction, '--install-to', file],
  ]);
  expect(code).toBe(2);
  expect(stderr).toContain('npm run bundle');
  expect(existsSync(agents())).toBe(false);
  expect(existsSync(file)).toBe(false);
});

test('a second place is refused while the first is there', async () => {
  await installs();
  await refuses(/installed as .*bin\/autark already/, copy, 'bin/second');
  rmSync(file);
  await installs(copy, 'bin/second');
  expectInstalled([digestOf(copy)], digestOf(copy), join(fleet.world.dir, 'bin/second'));
});

test('uninstalling removes the link and says so; what a stranger put there stays, and is named', async () => {
  await installs();
  const gone = await call(file, ['enroll', '--uninstall']);
  expect(gone).toMatchObject({ code: 0, stderr: `${file} is gone.\n` });
  expect(existsSync(file)).toBe(false);
  expect(readdirSync(agents()).sort()).toEqual([`${digestOf(copy)}.mjs`, 'current'].sort());
  expect((await call(copy, ['enroll', '--uninstall'])).code).toBe(2);

  await installs(agents('current'));
  rmSync(file);
  writeFileSync(file, 'mine');
  const kept = await call(copy, ['enroll', '--uninstall']);
  expect(kept).toMatchObject({ code: 0, stderr: `${file} is not the link that enroll made, and stays.\n` });
  expect(lstatSync(file).isFile()).toBe(true);
});

test.each([['--uninstall'], ['--new-key', 'key']])(
  '--install-to and %s are not said together',
  async (...more) => {
    const { code, stderr } = await call(copy, ['enroll', '--install-to', 'bin/autark', ...more]);
    expect(code).toBe(2);
    expect(stderr).toContain('are two things');
    expect(existsSync(file)).toBe(false);
  },
);
