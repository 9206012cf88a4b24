import { expect, test } from 'vitest';
import { buildArguments, flakeArguments } from '../../../shared/nix/arguments.ts';
import { nixFailure, type FailedNix } from '../../../shared/nix/failure.ts';
import { builtPath } from '../../../shared/nix/outputs.ts';
import { changedInhibitors, parseInhibitors } from '../../../shared/nix/system.ts';

const revision = 'a'.repeat(40);
const tree = { path: '/state/a tree', dir: '.', revision, revCount: 7, lastModified: 1700000000 };
const common = [
  ...['--extra-experimental-features', 'nix-command flakes', '--no-update-lock-file'],
  ...['--option', 'eval-cache', 'false', '--option', 'max-build-log-size', '268435456'],
];
const reference = `path:/state/a%20tree?lastModified=1700000000&rev=${revision}&revCount=7`;
const told = ['--json', '--show-trace', '--log-format', 'internal-json', '--out-link', '/link'];

test('nix build is given the tree itself', () => {
  const wanted = `${reference}#nixosConfigurations."web1".config.system.build.toplevel`;
  expect(buildArguments(tree, 'web1', '/link')).toEqual(['build', ...common, ...told, wanted]);
});

test('nix build is given a flake below the tree by a name for it', () => {
  const wanted = 'flake:autark?dir=machines/a%3Fb#nixosConfigurations."web1".config.system.build.toplevel';
  const below = { ...tree, dir: 'machines/a?b' };
  const override = ['--override-flake', 'autark', reference];
  expect(buildArguments(below, 'web1', '/link')).toEqual(['build', ...common, ...told, ...override, wanted]);
  expect(flakeArguments(below).options).toEqual(override);
});

test.each([
  ['[{"drvPath":"/d","outputs":{"out":"/nix/store/x"}}]', '/nix/store/x'],
  ['[{"drvPath":"/d","outputs":{"out":"/nix/store/x"},"startTime":0,"stopTime":1}]', '/nix/store/x'],
  ['', null],
  ['[]', null],
  ['[{"outputs":{"out":"relative"}}]', null],
  ['[{"outputs":{"dev":"/nix/store/x"}}]', null],
  ['[{"outputs":{"out":"/a"}},{"outputs":{"out":"/b"}}]', null],
])('%s is a build of %s', (stdout, path) => {
  expect(builtPath(stdout)).toBe(path);
});

const error = { text: 'words', where: 'lib/a.nix:3:1' };
const report = { failed: 0, unfinished: [], errors: [error], log: 'log' };
const failed: FailedNix = { exit: 1, report, suspect: 'none', said: '', flake: 'm/flake.nix', attr: 'web1' };

test.each<[string, Partial<FailedNix>, string, string]>([
  ['a full store', { suspect: 'space' }, 'no-space', 'the Nix store'],
  [
    'a full store under a builder',
    { suspect: 'space', report: { ...report, failed: 1 } },
    'no-space',
    'the Nix store',
  ],
  ['a store nothing can be added to', { suspect: 'store', said: 'read-only' }, 'unexpected', 'the Nix store'],
  ['a builder', { report: { ...report, failed: 1 } }, 'build-failed', 'lib/a.nix:3:1'],
  [
    'a builder, and no place',
    { report: { ...report, errors: [], failed: 1 } },
    'build-failed',
    'm/flake.nix',
  ],
  ['a hash', { exit: 102, suspect: 'inputs' }, 'build-failed', 'm/flake.lock'],
  ['the lock file', { suspect: 'lock' }, 'build-failed', 'm/flake.lock'],
  ['an input', { suspect: 'inputs' }, 'unreachable', 'm/flake.lock'],
  ['the configuration', {}, 'build-failed', 'lib/a.nix:3:1'],
])('%s is to blame', (_, change, kind, where) => {
  expect(nixFailure({ ...failed, ...change })).toMatchObject({ kind, where });
});

test('inhibitors are those that both systems have and that differ', () => {
  const facts = (inhibitors: Readonly<Record<string, string>>) => ({
    flaw: null,
    hasAgent: true,
    inhibitors,
  });
  const [from, to] = [
    facts({ b: '1', a: '1', c: '1', gone: '1' }),
    facts({ b: '2', a: '2', c: '1', new: '1' }),
  ];
  expect(changedInhibitors(from, to)).toEqual(['a', 'b']);
  expect(changedInhibitors(null, to)).toEqual([]);
  expect(changedInhibitors(facts({}), facts({ constructor: '1' }))).toEqual([]);
});

test.each(['', '[]', '1', 'null', '{'])('inhibitors %j cannot be understood', (text) => {
  expect(parseInhibitors(text)).toBeNull();
});
test('inhibitors are compared as values', () => {
  expect(parseInhibitors('{"a":"1","b":{"x":[1]}}')).toEqual({ a: '"1"', b: '{"x":[1]}' });
});
