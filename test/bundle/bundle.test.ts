import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { bundle } from '../../bundle/bundle.ts';
import { licencesOf, packagesIn } from '../../bundle/licences.ts';
import { scratch } from '../agent/adapters/scratch.ts';
import { run } from '../rig/run.ts';
import { bundled, project, putSingleFile } from '../rig/single-file.ts';

test('two runs give the same bytes, and nothing in them says where the project lies', async () => {
  const { text } = await bundled();
  expect((await bundle(project)).text).toBe(text);
  expect(text).not.toContain(project);
});

test('each package whose code is in the file is named there with its version, its licence and all of its text', async () => {
  const { text } = await bundled();
  // The bundler's own comments: one before each module.
  const modules = [...text.matchAll(/^ *\/\/ node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm)];
  const names = [...new Set(modules.map(([, name = '']) => name))];
  expect(names).toEqual(
    expect.arrayContaining(['execa', 'simple-git', 'valibot', 'winston', 'yaml', 'yargs']),
  );
  const notices = text.slice(text.indexOf('/*!\nThis file contains these packages'));
  for (const name of names) {
    const folder = join(project, 'node_modules', name);
    const said = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, string>;
    expect(notices).toContain(`\n${name} ${said['version'] ?? '?'} (${said['license'] ?? '?'})\n`);
  }
  const [chokidar] = packagesIn(['node_modules/chokidar/index.js'], project);
  expect(chokidar?.text).toContain('Permission is hereby granted');
  expect(notices.match(/Permission (is hereby granted|to use, copy)/g)?.length).toBeGreaterThan(
    names.length / 2,
  );
  expect(notices).toContain(readFileSync(join(project, 'node_modules/yaml/LICENSE'), 'utf8').trim());
});

test('the file imports nothing, and each of its characters takes one byte in memory', async () => {
  const { text } = await bundled();
  const source = ts.createSourceFile('autark.mjs', text, ts.ScriptTarget.Latest);
  const imports = source.statements.filter((each) => ts.isImportDeclaration(each));
  expect(imports).toEqual([]);
  expect(/[^\u0000-\u00ff]/.exec(text)).toBeNull();
});

test('a package without a licence keeps the file from being made', () => {
  const folder = scratch();
  const at = (...parts: string[]): string => join(folder, 'node_modules/@some/one', ...parts);
  mkdirSync(at(), { recursive: true });
  const files = ['node_modules/@some/one/lib/index.js', 'agent/main.ts'];
  const say = (said: object): void => {
    writeFileSync(at('package.json'), JSON.stringify(said));
  };
  say({ name: '@some/one', version: '1.2.3', license: 'MIT' });
  expect(() => packagesIn(files, folder)).toThrow(/no licence file/);
  writeFileSync(at('LICENSE.md'), 'Do what you want */ “always”\n');
  expect(licencesOf(packagesIn(files, folder))).toContain(
    '\n@some/one 1.2.3 (MIT)\n\nDo what you want * / "always"\n*/\n',
  );
  say({ name: '@some/one', version: '1.2.3' });
  expect(() => packagesIn(files, folder)).toThrow(/does not say/);
});

test('an older Node says which one is needed', async () => {
  const file = join(scratch(), 'autark.mjs');
  await putSingleFile(file);
  const older = 'data:text/javascript,process.getBuiltinModule = undefined';
  const { code, stderr } = await run(process.execPath, ['--import', older, file, '--version']);
  expect(stderr).toBe(
    `autark: it needs Node 20.19 or newer, and this is ${process.version} (${process.execPath}); install one\n`,
  );
  expect(code).toBe(1);
});
