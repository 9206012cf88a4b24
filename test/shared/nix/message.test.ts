import { expect, test } from 'vitest';
import { parseNixMessage } from '../../../shared/nix/message.ts';
import { chooseSeed, seeded } from '../../agent/adapters/scratch.ts';
import { mutate } from '../mutate.ts';
import { old, recent, type Lines } from './lines.ts';

const line = (object: Readonly<Record<string, unknown>>): string => `@nix ${JSON.stringify(object)}`;

test('never throws, whatever a line holds', () => {
  const seed = chooseSeed();
  const random = seeded(seed);
  const lines = [old, recent].flatMap((each: Lines) => [...each.failing, ...each.type]);
  let taken = 0;
  for (let round = 0; round < 5000; round += 1) {
    const content = Buffer.from(lines[round % lines.length] ?? '');
    const mutated = Buffer.from(mutate(content, random)).toString('latin1');
    try {
      if (parseNixMessage(mutated) !== null) taken += 1;
    } catch (error) {
      throw new Error(`seed ${seed}: ${mutated}`, { cause: error });
    }
  }
  expect(taken, `seed ${seed}`).toBeGreaterThan(100);
});

test.each(['', '@nix ', '@nix {', '@nix 1', '@nix null', '@nix []', 'error: @nix {}', '@nix {"action":7}'])(
  'takes %j for no message',
  (text) => {
    expect(parseNixMessage(text)).toBeNull();
  },
);

test('keeps ids apart that are one as a double', () => {
  // 2 ** 53 and the number after it.
  const ids = ['9007199254740992', '9007199254740993'].map((id) => {
    const message = parseNixMessage(`@nix {"action":"stop","id":${id}}`);
    return message?.kind === 'stop' ? message.id : null;
  });
  expect(ids).toEqual(['9007199254740992', '9007199254740993']);
});

test('takes the id of the message, not one that an earlier text holds', () => {
  const text = '@nix {"action":"result","fields":["\\"id\\":7"],"id":12,"type":101}';
  expect(parseNixMessage(text)).toMatchObject({ kind: 'result', id: '12', type: 101 });
});

test.each([
  ['2.8', '/store/source/flake.nix'],
  ['2.26 and 2.34', '/store/source/flake.nix:6:14'],
])('reads the place of an error of %s', (_, file) => {
  const error = { action: 'msg', level: 0, msg: 'error: x', raw_msg: 'x', file, line: 6, column: 14 };
  expect(parseNixMessage(line(error))).toEqual({
    kind: 'error',
    text: 'x',
    places: [{ file: '/store/source/flake.nix', line: 6, column: 14 }],
  });
});

test('leaves a name alone that ends like another place', () => {
  const error = { action: 'msg', level: 0, raw_msg: 'x', file: '/odd:1:2', line: 6, column: 14 };
  expect(parseNixMessage(line(error))).toMatchObject({ places: [{ file: '/odd:1:2' }] });
});

test('reads a trace, the outermost first, and skips what has no place', () => {
  const trace = [
    { raw_msg: 'while calling', file: '/a:1:2', line: 1, column: 2 },
    { raw_msg: 'while evaluating the file' },
    { raw_msg: 'nowhere', file: null, line: null, column: null },
  ];
  const error = { action: 'msg', level: 0, raw_msg: 'x', file: null, line: null, column: null, trace };
  expect(parseNixMessage(line(error))).toEqual({
    kind: 'error',
    text: 'x',
    places: [{ file: '/a', line: 1, column: 2 }],
  });
});

test('takes hints and what is no error for nothing', () => {
  for (const message of [
    { level: 0, msg: 'hint' },
    { level: 3, msg: 'building', raw_msg: 'building' },
  ])
    expect(parseNixMessage(line({ action: 'msg', ...message }))).toBeNull();
});

test('reads a trace of 2.8, which has the innermost first', () => {
  const trace = ['/inner', '/outer'].map((file) => ({ raw_msg: 'while', file, line: 1, column: 2 }));
  const error = { action: 'msg', level: 0, raw_msg: 'x', file: null, line: null, column: null, trace };
  const message = parseNixMessage(line(error));
  const files = message?.kind === 'error' ? message.places.map(({ file }) => file) : [];
  expect(files).toEqual(['/outer', '/inner']);
});
