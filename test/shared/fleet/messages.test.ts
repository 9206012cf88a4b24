import { describe, expect, test } from 'vitest';
import { failureOf } from '../../../shared/fleet/findings.ts';
import { findings, marked, places } from './marks.ts';
import { fleetYaml, publicKey } from './sample.ts';

describe('words', () => {
  const only = (text: string) => {
    const [first] = findings(text);
    return `${first?.cause ?? ''}; ${first?.remedy ?? ''}`;
  };

  test('what was expected, what is there, what to do', () => {
    expect(only(fleetYaml('defaults: { interval: 60 }'))).toBe(
      'defaults.interval must be a duration of at most 24d, such as 30s, 5m or 2h, not the number 60; write a whole number above 0 and a unit: ms, s, m, h or d',
    );
    expect(only(fleetYaml('secrets: { a: { mode: 0400 } }'))).toBe(
      'secrets.a.mode must be a file mode in quotes, such as "0400", not the number 0400; write four octal digits in quotes, the first of them 0',
    );
    expect(only(fleetYaml('hosts: []'))).toBe(
      'hosts must be a map of names, not a list; write `NAME:` lines below it',
    );
  });

  test('an unknown key names the nearest known one', () => {
    expect(only(fleetYaml('hosts: { web1: { intervall: 1s } }'))).toBe(
      'hosts.web1.intervall is not a key that autark knows; did you mean interval? (keys of your own begin with x-)',
    );
    expect(only(fleetYaml('hosts: { web1: { timeouts: { zzzz: 1s } } }'))).toBe(
      'hosts.web1.timeouts.zzzz is not a key that autark knows; known here are fetch, build, switch; keys of your own begin with x-',
    );
  });

  test('an undeclared group names the nearest declared one', () => {
    expect(only(fleetYaml('groups: { web: {} }', 'hosts: { a: { groups: [wbe] } }'))).toBe(
      'hosts.a.groups[0] names the group wbe, which is not declared; did you mean web? Otherwise declare it below `groups:`',
    );
  });

  test('what is quoted is bounded and has no control characters', () => {
    expect(only(fleetYaml(`defaults: { drift: "\\e[2J${'x'.repeat(500)}" }`))).toMatch(
      /not the text “x{59}…”;/,
    );
  });

  test('a secret key that went astray is not repeated', () => {
    const secret = `AGE-SECRET-KEY-1${'Q'.repeat(58)}`;
    expect(JSON.stringify(findings(fleetYaml(`readers: [${secret}]`)))).not.toContain('QQQQ');
  });
});

describe('many things wrong', () => {
  test('all are found, in the file’s order', () => {
    const { text, places: expected } = marked(
      [
        'version: 1',
        'fleet: ▸mine',
        'secrets:',
        '  token: { mode: ▸400, hosts: [▸nobody] }',
        'hosts:',
        '  web1:',
        '    ▸kepe: 5',
        '    groups: [▸web]',
        `    key: ${publicKey(1)} once`,
        '    ▸system: { kind: exec, ▸attr: a }',
        '  web2:',
        `    key: ▸${publicKey(1)} again`,
        'defaults:',
        '  heartbeat: ▸0s',
      ].join('\n'),
    );
    expect(places(findings(text))).toEqual(expected);
  });

  test('a slip in a group is one finding, however many hosts there are', () => {
    const text = fleetYaml(
      'groups: { web: { system: { kind: exec, build: b, dir: d } } }',
      'hosts: { a: { groups: [web] }, b: { groups: [web] } }',
    );
    expect(findings(text).map(({ key }) => key)).toEqual(['groups.web.system.dir']);
  });

  test('a later format is one finding, since nothing else can be judged', () => {
    const [first, ...others] = findings('version: 2\nfleets: []\n');
    expect(others).toEqual([]);
    expect(first).toMatchObject({
      line: 1,
      column: 10,
      key: 'version',
      remedy: 'upgrade autark on this machine',
    });
  });
});

describe('failureOf', () => {
  test('one finding is the whole failure', () => {
    expect(failureOf(findings(fleetYaml('hosts: []')))).toEqual({
      kind: 'invalid',
      cause: 'hosts must be a map of names, not a list',
      where: 'fleet.yaml:3:8',
      remedy: 'write `NAME:` lines below it',
    });
  });

  test('others are in its detail, one a line', () => {
    const failure = failureOf(findings(fleetYaml('hosts: []', 'defaults: { keep: x }', 'groups: 7')));
    expect(failure.where).toBe('fleet.yaml:3:8');
    expect(failure.detail?.split('\n')).toEqual([
      'and 2 more:',
      'fleet.yaml:4:19: defaults.keep must be a whole number from 0 to 1000, not the text “x”; write the number without quotes',
      'fleet.yaml:5:9: groups must be a map of names, not the number 7; write `NAME:` lines below it',
    ]);
  });

  test('a flood of them is bounded', () => {
    const text = fleetYaml(
      'hosts:',
      ...Array.from({ length: 1000 }, (_, index) => `  h${index}: { keep: x }`),
    );
    expect(findings(text)).toHaveLength(1000);
    expect(failureOf(findings(text)).detail?.split('\n').length).toBeLessThan(60);
  });
});
