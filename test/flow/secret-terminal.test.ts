import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, talk } from '../rig/dialogue.ts';
import { describeWith } from '../rig/needs.ts';
import { run } from '../rig/run.ts';
import { fleetOfThree, opens, set } from '../rig/secret-desk.ts';
import { program, type World } from '../rig/world.ts';

const first = 'Value of typed:';
const second = 'The same once more:';
const setting = ['secret', 'set', 'typed', '--host', 'web1'];

describeWith(['age'], 'secrets on a terminal', () => {
  let world: World;
  beforeAll(async () => {
    ({ world } = await fleetOfThree());
  });
  afterAll(() => world.remove());

  /** What the clone is: its commit, and what differs from that. */
  const state = async (): Promise<string> =>
    `${await world.git(['rev-parse', 'HEAD'])}\n${await world.git(['status', '--porcelain'])}`;

  const refusals: [string, readonly Answer[], number, RegExp][] = [
    [
      'two values that differ',
      [
        [first, 'hunter2\r'],
        [second, 'hunter3\r'],
      ],
      1,
      /the two are not the same, and nothing was changed/,
    ],
    [
      'the same with a blank',
      [
        [first, 'hunter2\r'],
        [second, 'hunter2 \r'],
      ],
      1,
      /the two are not the same/,
    ],
    ['no value', [[first, '\r']], 1, /no value was given, and nothing was changed/],
    ['Ctrl-D at the first question', [[first, '\u0004']], 1, /no value was given/],
    [
      'Ctrl-D at the second question',
      [
        [first, 'hunter2\r'],
        [second, '\u0004'],
      ],
      1,
      /the two are not the same/,
    ],
    ['Ctrl-C in the middle of the first', [[first, 'hunter2\u0003']], 130, /^Value of typed: \n$/],
    [
      'Ctrl-C in the middle of the second',
      [
        [first, 'hunter2\r'],
        [second, 'hunt\u0003'],
      ],
      130,
      /: \n$/,
    ],
    [
      'several lines at once, as a key is pasted',
      [[first, 'hunter2\rhunter3\r']],
      1,
      /one line, and nothing was changed.*through a pipe/,
    ],
  ];
  test.each(refusals)(
    '%s: nothing is changed, and the terminal is as it was',
    async (_what, answers, code, says) => {
      const before = await state();
      const said = await talk(world, setting, answers);
      expect(said.shown).toMatch(says);
      expect(said.shown).not.toMatch(/hunt/);
      expect(said).toMatchObject({ code, isRestored: true });
      expect(await state()).toBe(before);
    },
  );

  test('a value that is typed twice is shown nowhere, and is sealed as typed, without a line end', async () => {
    const before = await world.git(['rev-parse', 'HEAD']);
    const said = await talk(world, setting, [
      [first, ' hunter2 ü\r'],
      [second, ' hunter2 ü\r'],
    ]);
    expect(said.shown).not.toMatch(/hunter|ü/);
    expect(said).toMatchObject({ code: 0, isRestored: true });
    expect(await world.git(['rev-parse', 'HEAD~1'])).toBe(before);
    expect(await opens(world, 'web1', 'secrets/typed.age')).toBe(' hunter2 ü');
    // Through a pipe all is taken as it comes, a line end too.
    expect((await set(world, ' hunter2 ü\n', ['typed'])).code).toBe(0);
    expect(await opens(world, 'web1', 'secrets/typed.age')).toBe(' hunter2 ü\n');
  });

  test('a value that a terminal would obey is refused there, and comes byte for byte through a pipe', async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_each, byte) => byte));
    const values: [string, Uint8Array][] = [
      ['bytes', all],
      ['escape', Buffer.from('harmless\u001b]0;title\u0007')],
      ['no-text', Buffer.from([0xff, 0xfe])],
    ];
    for (const [name, value] of values) {
      const words = ['secret', 'set', name, '--host', 'web1'];
      const made = await run(process.execPath, [program, ...words], {
        ...{ cwd: world.clone, env: world.env, input: value },
      });
      expect(made.code, made.stderr).toBe(0);
      const said = await talk(world, ['secret', 'show', name]);
      expect(said.code).toBe(1);
      expect(said.shown).toMatch(
        new RegExp(`the value of ${name} is binary, .*autark secret show ${name} \\| xxd`),
      );
      expect(said.shown).not.toMatch(/harmless|\u001b\]/);
      const file = join(world.dir, 'shown');
      expect((await talk(world, ['secret', 'show', name], [], { into: `| cat > '${file}'` })).code).toBe(0);
      expect(Buffer.compare(await readFile(file), value)).toBe(0);
    }
  });

  test('a value of text is shown on a terminal as it is', async () => {
    const text = 'two lines,\n\tand a tab: ü\n';
    expect((await set(world, text, ['words', '--host', 'web1'])).code).toBe(0);
    const said = await talk(world, ['secret', 'show', 'words']);
    expect(said).toMatchObject({ code: 0, shown: text.replace('\t', '\t') });
  });
});
