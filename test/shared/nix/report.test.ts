import { expect, test } from 'vitest';
import { listenToNix, type NixListener } from '../../../shared/nix/report.ts';
import { old, recent } from './lines.ts';

const inTree = (path: string): boolean => path === 'flake.nix';
const hear = (lines: readonly string[], listener: NixListener = listenToNix(inTree)): NixListener => {
  for (const line of lines) listener.line(line);
  return listener;
};
const say = (object: Readonly<Record<string, unknown>>): string => `@nix ${JSON.stringify(object)}`;
const drvOf = (name: string): string => `/nix/store/${'a'.repeat(32)}-${name}.drv`;
const begins = (id: number, name: string): string =>
  say({ action: 'start', id, type: 105, fields: [drvOf(name), '', 1, 1] });
const logs = (id: number, text: string): string => say({ action: 'result', id, type: 101, fields: [text] });
const stops = (id: number): string => say({ action: 'stop', id });
const failure = (name: string): string =>
  say({ action: 'msg', level: 0, raw_msg: `'${drvOf(name)}' failed` });

test.each([
  ['2.8', old, "builder for '"],
  ['2.34', recent, "Cannot build '"],
])('of %s: a derivation that failed, by counters, with its log', (_, lines, words) => {
  const report = hear(lines.failing).report();
  expect(report).toMatchObject({ failed: 1, unfinished: [], log: 'one\ntwo' });
  expect(report.errors[0]?.text).toContain(words);
  expect(report.errors[0]?.text).not.toContain('\u001b');
  expect(hear(lines.type).report()).toMatchObject({
    failed: 0,
    errors: [{ text: 'cannot add a string to an integer', where: 'flake.nix:6:14' }],
  });
});

test('adds up several activities that build, as import from derivation has them', () => {
  const counter = (id: number, ...fields: number[]): string =>
    say({ action: 'result', id, type: 105, fields });
  const listener = hear([
    say({ action: 'start', id: 1, type: 104 }),
    counter(1, 1, 1, 0, 0),
    stops(1),
    say({ action: 'start', id: 2, type: 104 }),
    counter(2, 0, 3, 1, 0),
    begins(3, 'hello-2.12'),
    // Not counters of derivations: copies, and an activity that nobody announced.
    say({ action: 'start', id: 4, type: 103 }),
    counter(4, 9, 9, 9, 9),
    counter(5, 9, 9, 9, 9),
  ]);
  expect(listener.progress()).toEqual({ done: 1, expected: 4, running: 1, failed: 0, current: 'hello-2.12' });
  hear([counter(2, 2, 3, 0, 1)], listener);
  expect(listener.progress()).toMatchObject({ done: 3, expected: 4, failed: 1 });
});

test('shows the log of what failed only', () => {
  const lines = [begins(1, 'well'), begins(2, 'bad'), logs(1, 'all is well'), logs(2, 'broken')];
  expect(hear([...lines, stops(1), stops(2), failure('bad')]).report().log).toBe('broken');
  // Nothing failed: what still ran, and its name.
  const { log, unfinished } = hear([...lines, stops(1)]).report();
  expect([log, unfinished]).toEqual(['broken', ['bad']]);
});

test('knows what it built when it was told to end, though it says that all has stopped', () => {
  const lines = [
    say({ action: 'start', id: 9, type: 104 }),
    begins(1, 'done'),
    begins(2, 'hangs'),
    logs(2, 'at it'),
    stops(1),
    say({ action: 'result', id: 9, type: 105, fields: [1, 2, 1, 0] }),
    stops(2),
    stops(9),
    say({ action: 'msg', level: 0, raw_msg: 'interrupted by the user' }),
  ];
  expect(hear(lines).report()).toMatchObject({ unfinished: ['hangs'], log: 'at it' });
});

test('shows what else was printed when no builder was at work', () => {
  expect(hear(['warning: odd', '@nix {broken']).report().log).toBe('warning: odd');
});

test('keeps little of a flood', () => {
  const listener = listenToNix(inTree);
  for (let id = 1; id <= 500; id += 1) {
    hear([begins(id, `p${id}`), logs(id, 'x'.repeat(2000)), stops(id), failure(`p${id}`)], listener);
  }
  for (let line = 0; line < 5000; line += 1) hear([`${line}`.repeat(500)], listener);
  const report = listener.report();
  expect(report.errors).toHaveLength(20);
  expect(JSON.stringify(report).length).toBeLessThan(40_000);
});

test('names a place of the tree rather than one in a library', () => {
  const file = (path: string, line: number) => ({
    file: `/nix/store/${'b'.repeat(32)}-source/${path}:${line}:1`,
    line,
    column: 1,
  });
  const library = file('lib/modules.nix', 900);
  const error = (trace: readonly unknown[]): string =>
    say({ action: 'msg', level: 0, raw_msg: 'x', ...library, trace });
  expect(hear([error([library, file('flake.nix', 3), library])]).report().errors[0]?.where).toBe(
    'flake.nix:3:1',
  );
  expect(hear([error([])]).report().errors[0]?.where).toBe(library.file);
});
