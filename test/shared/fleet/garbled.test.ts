import { describe, expect, test } from 'vitest';
import { parseFleet } from '../../../shared/fleet/parse.ts';
import { everything, fleetYaml, seeded } from './sample.ts';

function findings(text: string) {
  const result = parseFleet(text, { file: 'fleet.yaml', version: '1.4.0' });
  return result.ok ? [] : result.failure;
}

describe('a file that is no fleet.yaml at all', () => {
  test.each([
    ['empty', '', '1:1', /empty/],
    ['only comments', '# nothing\n\n', '1:1', /empty/],
    ['null', '~', '1:1', /empty/],
    ['a word', 'fleet', '1:1', /map of keys, not a single value/],
    ['a list', '\n- version: 1\n', '2:1', /map of keys, not a list/],
    ['binary', 'version: 1\nfl\u0000\u0001et', '2:3', /not UTF-8 text: it contains U\+0000/],
    ['not UTF-8', 'version: 1\nname: caf\ufffd\n', '2:10', /not UTF-8 text/],
    [
      'a conflict that Git left',
      fleetYaml('<<<<<<< HEAD', 'hosts: {}', '=======', '>>>>>>> other'),
      '3:1',
      /YAML/,
    ],
    ['indented with tabs', fleetYaml('hosts:', '\tweb1: {}'), '4:1', /YAML/],
    ['two documents', `${fleetYaml()}---\n${fleetYaml()}`, '3:1', /YAML.*multiple documents/],
    ['a tag of its own', fleetYaml('hosts: !mine {}'), '3:8', /tag/i],
    ['a tag of YAML 1.1', fleetYaml('x-a: !!binary aGk='), '3:6', /tag/i],
    ['YAML 1.1', `%YAML 1.1\n---\n${fleetYaml()}`, '1:1', /YAML 1\.1/],
    ['a map for a key', fleetYaml('? { a: b }', ': c'), '3:3', /YAML/],
    ['a quote that does not close', fleetYaml('x-a: "open'), '4:1', /YAML.*quote/],
  ])('%s', (_what, text, place, cause) => {
    const [first] = findings(text);
    expect(`${first?.line ?? 0}:${first?.column ?? 0}`).toBe(place);
    expect(first?.cause).toMatch(cause);
    expect(first?.remedy).toMatch(/\w/);
  });

  test('more than 1 MiB', () => {
    expect(findings(fleetYaml(`# ${'x'.repeat(1024 * 1024)}`))).toMatchObject([
      { cause: 'the file is larger than 1 MiB' },
    ]);
  });
});

describe('bombs', () => {
  const levels = Array.from(
    { length: 12 },
    (_, level) =>
      `x-${level}: &l${level} [${Array(10)
        .fill(level === 0 ? 'lol' : `*l${level - 1}`)
        .join(', ')}]`,
  );

  test('a billion laughs', () => {
    expect(findings(fleetYaml(...levels))).toMatchObject([
      { key: expect.stringMatching(/^x-\d/) as string, cause: expect.stringContaining('aliases') as string },
    ]);
  });

  test.each([
    ['lists', `x: ${'['.repeat(20_000)}`],
    ['closed lists', `x: ${'['.repeat(200)}${']'.repeat(200)}`],
    ['maps', `x: ${'{a: '.repeat(20_000)}`],
    ['dashes', '- '.repeat(20_000)],
    ['steps', Array.from({ length: 500 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
  ])('nested %s', (_what, text) => {
    expect(
      findings(text)
        .map(({ cause }) => cause)
        .join(),
    ).toMatch(/nested/);
  });

  test('as many keys as fit are told apart in reasonable time', () => {
    const keys = Array.from({ length: 40_000 }, (_, index) => `x${index}:`);
    expect(findings(fleetYaml(...keys)).length).toBe(40_000);
  });
});

test('a thousand garbled files give findings and never throw', () => {
  const seed = 77_001;
  const random = seeded(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const scraps = [
    '\n',
    ' ',
    ':',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '*a',
    '&a ',
    '"',
    "'",
    '#',
    '|',
    '>',
    '!',
    '? ',
    '%',
    '0',
    'null',
    '~',
    'x-',
    '\t',
    '---\n',
    '<<: ',
    '__proto__: ',
    '\u0000',
    '\ud800',
    '€',
    '\r\n',
    '1e999',
    '.nan',
  ];
  for (let round = 0; round < 1000; round += 1) {
    let text = everything;
    for (let slips = 1 + below(4); slips > 0; slips -= 1) {
      const at = below(text.length);
      const scrap = random() < 0.3 ? text.slice(at, at + below(200)) : (scraps[below(scraps.length)] ?? '');
      text = text.slice(0, at) + scrap + text.slice(at + below(random() < 0.2 ? 300 : 4));
    }
    const result = parseFleet(text, { file: 'fleet.yaml', version: '1.4.0' });
    if (result.ok) continue;
    const lines = text.split('\n');
    for (const { line, column, cause, remedy } of result.failure) {
      const why = `seed ${seed}, round ${round}: ${cause}`;
      expect(cause !== '' && remedy !== '', why).toBe(true);
      expect(line >= 1 && line <= lines.length, why).toBe(true);
      expect(column >= 1 && column <= (lines[line - 1]?.length ?? 0) + 1, why).toBe(true);
    }
    expect(result.failure.length, `seed ${seed}, round ${round}`).toBeGreaterThan(0);
  }
});
