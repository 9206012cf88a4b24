import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { version } from '../../shared/version.ts';
import { must } from '../rig/run.ts';
import { project } from '../rig/single-file.ts';
import { makeWorld } from '../rig/world.ts';

// A whole build, on a busy machine.
/** As this machine has it: npm finds its cache, its settings and the way to its registry by that. */
const env = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
);

let dir: string;
let files: readonly string[];
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'autark-pack-'));
  // As it is in a clone: nothing is built there yet, and what was built once and is no more cannot come along.
  const tree = join(dir, 'tree');
  const listed = await must('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: project,
    env,
  });
  for (const file of listed.split('\0').filter((each) => each !== ''))
    cpSync(join(project, file), join(tree, file));
  symlinkSync(join(project, 'node_modules'), join(tree, 'node_modules'));
  const said = await must('npm', ['pack', '--json', '--pack-destination', dir], { cwd: tree, env });
  files = filesIn(JSON.parse(said.slice(said.search(/^[[{]/m))) as Packed);
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** A list or, since npm 11, one by name. */
type Packed = Readonly<Record<string, { readonly files: readonly { readonly path: string }[] }>>;
const filesIn = (packed: Packed): readonly string[] =>
  Object.values(packed).flatMap((each) => each.files.map(({ path }) => path));
const names = (folder: string): string[] => readdirSync(folder).filter((name) => !name.startsWith('.'));

test('the package is what runs, what a person reads, and nothing else', () => {
  const isCode = (file: string): boolean => /^dist\/(agent|shared)\/([\w-]+\/)*[\w-]+\.js$/.test(file);
  const units = names(join(project, 'systemd')).map((name) => `systemd/${name}`);
  const read = ['CHANGELOG.md', 'LICENSE', 'README.md', 'docs/autark.1', 'package.json'];
  expect(files.filter((file) => !isCode(file)).sort()).toEqual([...read, ...units].sort());
  expect(files).toContain('dist/agent/main.js');
  expect(files).toContain('dist/shared/failure.js');
});

test('installed from its file it runs, with the packages that it depends on and no other', async () => {
  const prefix = join(dir, 'prefix');
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--prefix', prefix];
  await must('npm', ['install', '--global', ...quiet, join(dir, `autark-${version}.tgz`)], { cwd: dir, env });
  const said = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as Readonly<
    Record<'dependencies' | 'devDependencies', Readonly<Record<string, string>>>
  >;
  expect(names(join(prefix, 'lib/node_modules'))).toEqual(['autark']);
  const installed = names(join(prefix, 'lib/node_modules/autark/node_modules'));
  expect(installed).toEqual(expect.arrayContaining(Object.keys(said.dependencies)));
  expect(installed.filter((name) => name in said.devDependencies)).toEqual([]);

  const autark = join(prefix, 'bin/autark');
  expect(await must(autark, ['--version'], { env })).toBe(version);
  const world = await makeWorld('autark-pack');
  try {
    const place = { cwd: world.clone, env: world.env };
    const introduction = await must(autark, ['init', '--key', world.adminKey, '--push'], place);
    expect(introduction).toBe(await world.git(['rev-parse', 'origin/main']));
  } finally {
    await world.remove();
  }
});
