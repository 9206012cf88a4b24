import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

/**
 * The floors of docs/architecture.md: who may import whom, dynamic imports and `import type` included. Each part
 * of the tree belongs to the first floor whose path matches.
 */
const floors: readonly { name: string; path: RegExp; may: readonly string[]; packages: readonly string[] }[] =
  [
    { name: 'shared', path: /^shared\//, may: ['shared'], packages: ['node:crypto', 'valibot', 'yaml'] },
    {
      name: 'ports',
      path: /^agent\/((clone|git|nix|doctor|unit|program|health|drift|secret|disk|ledger|step)-)?ports\.ts$/,
      may: ['shared'],
      packages: [],
    },
    {
      name: 'adapters',
      path: /^agent\/adapters\//,
      may: ['adapters', 'ports', 'shared'],
      packages: [
        ...['node:*', 'execa', 'simple-git', 'chokidar', 'winston', 'valibot'],
        ...['age-encryption', 'bcrypt-pbkdf'],
      ],
    },
    { name: 'wire', path: /^agent\/wire(-(host|watch|secrets|steps))?\.ts$/, may: ['*'], packages: [] },
    { name: 'main', path: /^agent\/main\.ts$/, may: ['wire', 'cli'], packages: ['node:fs', 'node:path'] },
    {
      name: 'cli',
      path: /^agent\/cli\//,
      may: ['cli', 'daemon', 'cycle', 'fleet', 'ports', 'shared'],
      packages: ['yargs'],
    },
    { name: 'objects', path: /^agent\/objects\//, may: ['objects', 'ports', 'shared'], packages: [] },
    { name: 'fleet', path: /^agent\/fleet\//, may: ['fleet', 'objects', 'ports', 'shared'], packages: [] },
    {
      name: 'stages',
      path: /^agent\/stages\//,
      may: ['stages', 'objects', 'seam', 'ports', 'shared'],
      packages: [],
    },
    {
      name: 'seam',
      path: /^agent\/(seam|memory|context)\.ts$/,
      may: ['seam', 'ports', 'shared'],
      packages: [],
    },
    {
      name: 'cycle',
      path: /^agent\/(cycle|carry-on|begin|decide|ending|trial|newer|enrol|genesis|new-key|resume|rebuild|succeed|introduction|host|opening|by-hand|hold|go-back|drift|disks|rebooted|secrets)\.ts$|^agent\/steps\//,
      may: ['cycle', 'stages', 'objects', 'seam', 'ports', 'shared'],
      packages: [],
    },
    {
      name: 'daemon',
      path: /^agent\/(daemon|wakes|serve|succession)\.ts$/,
      may: ['daemon', 'cycle', 'seam', 'ports', 'shared'],
      packages: [],
    },
  ];

const root = join(import.meta.dirname, '..');

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return sources(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

function floorOf(path: string) {
  return floors.find((floor) => floor.path.test(path));
}

/** Every module a file names, as TypeScript itself sees them: static, dynamic, and `import()` types. */
function importsOf(path: string, text = readFileSync(join(root, path), 'utf8')): string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier !== undefined
    ) {
      found.push((node.moduleSpecifier as ts.StringLiteral).text);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      found.push(argument !== undefined && ts.isStringLiteral(argument) ? argument.text : '(computed)');
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      found.push((node.argument.literal as ts.StringLiteral).text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function complaints(path: string, imports: readonly string[]): string[] {
  const floor = floorOf(path);
  if (floor === undefined) return [`${path} is on no floor`];
  return imports.flatMap((name) => {
    if (!name.startsWith('.')) {
      const isAllowed = floor.packages.some(
        (each) =>
          each === name || name.startsWith(`${each}/`) || (each === 'node:*' && name.startsWith('node:')),
      );
      return isAllowed ? [] : [`${path} (${floor.name}) imports ${name}`];
    }
    const target = normalize(join(dirname(path), name));
    const below = floorOf(target)?.name ?? target;
    return floor.may.includes('*') || floor.may.includes(below) || below === floor.name
      ? []
      : [`${path} (${floor.name}) imports ${target} (${below})`];
  });
}

test('nobody imports upward', () => {
  const all = [...sources('agent'), ...sources('shared')];
  expect(all.flatMap((path) => complaints(path, importsOf(path)))).toEqual([]);
});

test('shared touches neither clock, chance, environment nor process', () => {
  const impure =
    /\b(Date\.now|new Date\(\)|Math\.random|process\.|globalThis|setTimeout|setInterval|randomBytes|randomUUID|performance\.)/;
  const found = sources('shared').filter((path) => impure.test(readFileSync(join(root, path), 'utf8')));
  expect(found).toEqual([]);
});

test('the check sees every way to import', () => {
  const text = `import a from 'execa'; export * from '../../agent/cycle.ts';
    const b = import('winston'); type C = import('chokidar').FSWatcher; const d = import(name);`;
  expect(complaints('shared/fleet/x.ts', importsOf('shared/fleet/x.ts', text))).toEqual([
    'shared/fleet/x.ts (shared) imports execa',
    'shared/fleet/x.ts (shared) imports agent/cycle.ts (cycle)',
    'shared/fleet/x.ts (shared) imports winston',
    'shared/fleet/x.ts (shared) imports chokidar',
    'shared/fleet/x.ts (shared) imports (computed)',
  ]);
});
