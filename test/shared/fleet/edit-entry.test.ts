import { describe, expect, test } from 'vitest';
import { parseFleet } from '../../../shared/fleet/parse.ts';
import { addedLines, approved, hostOf, refused } from './approving.ts';
import { everything, fleetYaml, genesis, publicKey } from './sample.ts';

describe('an entry written by hand', () => {
  test('is completed', () => {
    const before = fleetYaml(
      'groups: { web: {} }',
      'hosts:',
      '  web7:   # soon',
      '    groups: [web]  # ours',
      '    # system: later',
      '    system: { kind: exec, build: b }',
      '',
      '  a: {}',
    );
    const after = approved(before);
    expect(addedLines(before, after)).toEqual([`    key: ${publicKey(7)}`, `    genesis: ${genesis}`]);
    expect(hostOf(after)).toMatchObject({
      key: publicKey(7),
      genesis,
      groups: ['web'],
      system: { kind: 'exec', build: 'b' },
    });
  });

  test.each([
    ['with nothing in it', ['hosts:', '  web7:', '  a: {}']],
    ['with nothing but a comment', ['hosts:', '  web7: # soon', '    # keep: 5', '  a: {}']],
  ])('%s', (_what, lines) => {
    const before = fleetYaml(...lines);
    expect(addedLines(before, approved(before))).toEqual([
      `    key: ${publicKey(7)}`,
      `    genesis: ${genesis}`,
    ]);
  });

  test('as a flow map', () => {
    expect(approved(fleetYaml('hosts:', '  web7: { keep: 1 } # c'))).toBe(
      fleetYaml('hosts:', `  web7: { keep: 1, key: ${publicKey(7)}, genesis: ${genesis} } # c`),
    );
    expect(approved(fleetYaml('hosts: { web7: {}, a: {} }'))).toBe(
      fleetYaml(`hosts: { web7: { key: ${publicKey(7)}, genesis: ${genesis} }, a: {} }`),
    );
  });

  test('with the key already, as `invite --key` leaves it, and a comment behind it', () => {
    const before = fleetYaml('hosts:', '  web7:', `    key: ${publicKey(7)} root@web7`, '    keep: 2');
    expect(addedLines(before, approved(before))).toEqual([`    genesis: ${genesis}`]);
  });

  test('that says it all stays as it is', () => {
    const before = fleetYaml(
      'hosts:',
      '  web7:',
      `    genesis: "${genesis}"`,
      `    key: ${publicKey(7)} c`,
      '    system: {build: b,   kind: exec}',
    );
    expect(approved(before)).toBe(before);
    expect(approved(before, { system: { kind: 'exec', build: 'b' } })).toBe(before);
  });

  test('keeps its system and groups unless new ones are given', () => {
    const before = fleetYaml(
      'groups: { web: {}, db: {} }',
      'hosts:',
      '  web7:',
      '    groups:',
      '      - web',
      '    keep: 3',
      '    system: { kind: exec, build: old } # why',
      '  a: {}',
    );
    const after = approved(before, { groups: ['db'], system: { kind: 'exec', build: 'new' } });
    expect(after).toBe(
      fleetYaml(
        'groups: { web: {}, db: {} }',
        'hosts:',
        '  web7:',
        '    groups: [ db ]',
        '    keep: 3',
        '    system: { kind: exec, build: new } # why',
        `    key: ${publicKey(7)}`,
        `    genesis: ${genesis}`,
        '  a: {}',
      ),
    );
  });

  test('with keys that have no value yet', () => {
    const after = approved(fleetYaml('hosts:', '  web7:', '    key:', '    genesis: # soon', '    keep: 1'));
    expect(after).toBe(
      fleetYaml(
        'hosts:',
        '  web7:',
        `    key: ${publicKey(7)}`,
        `    genesis: ${genesis} # soon`,
        '    keep: 1',
      ),
    );
  });
});

describe('is refused', () => {
  const other = publicKey(8);

  test.each([
    ['another key', fleetYaml(`hosts: { web7: { key: ${other} } }`), {}, /another key/, 'hosts.web7.key'],
    [
      'another genesis',
      fleetYaml(`hosts: { web7: { genesis: ${'d'.repeat(40)} } }`),
      {},
      /another genesis/,
      'hosts.web7.genesis',
    ],
    ['a retired host', fleetYaml('hosts: { web7: { retired: true } }'), {}, /retired/, 'hosts.web7.retired'],
    [
      'an undeclared group',
      fleetYaml('groups: { web: {} }'),
      { groups: ['web', 'db'] },
      /no group db/,
      'groups',
    ],
    [
      'another host’s key',
      fleetYaml(`hosts: { a: { key: ${publicKey(7)} comment } }`),
      {},
      /key is a’s/,
      'hosts.a.key',
    ],
    ['a section that is no map', fleetYaml('hosts: [web7]'), {}, /hosts must be a map/, 'hosts'],
    [
      'an entry that is no map',
      fleetYaml('hosts: { web7: soon }'),
      {},
      /hosts.web7 must be a map/,
      'hosts.web7',
    ],
  ])('%s', (_what, text, more, cause, where) => {
    const failure = refused(text, more);
    expect(failure?.cause).toMatch(cause);
    expect(failure?.where).toBe(`fleet.yaml, ${where}`);
    expect(failure?.remedy).toMatch(/\w/);
  });

  test.each([
    ['a name outside the grammar', { host: 'Web 7' }],
    ['a key that is none', { key: 'ssh-ed25519 AAAA' }],
    ['a genesis that is none', { genesis: '4be1' }],
  ])('%s', (_what, more) => {
    expect(refused(fleetYaml(), more)).toMatchObject({ kind: 'usage' });
  });

  test('a file that is no YAML, with the place', () => {
    expect(refused(fleetYaml('hosts: {'))).toMatchObject({
      kind: 'invalid',
      where: expect.stringMatching(/^fleet.yaml:\d+:\d+$/) as string,
    });
  });

  test.each([
    ['shared by an alias', fleetYaml('x-a: &a { keep: 1 }', 'hosts:', '  web7: *a')],
    ['one anchor for two hosts', fleetYaml('hosts:', '  web7: &a', '    keep: 1', '  b: *a')],
  ])('%s: what cannot be edited safely is left to a person, with the lines to write', (_what, text) => {
    const failure = refused(text);
    expect(failure?.remedy).toMatch(/by hand/);
    expect(failure?.detail).toContain(`key: ${publicKey(7)}`);
  });
});

test('whatever file it edits, it says the old things and the host', () => {
  const lines = everything.split('\n');
  for (let drop = 2; drop < lines.length; drop += 1) {
    const text = [...lines.slice(0, drop), ...lines.slice(drop + 1)].join('\n');
    const before = parseFleet(text, { file: 'fleet.yaml', version: '1.4.0' });
    if (!before.ok) continue;
    const after = parseFleet(approved(text), { file: 'fleet.yaml', version: '1.4.0' });
    const hosts = after.ok ? [...after.value.hosts] : [];
    expect(
      hosts.filter(([name]) => name !== 'web7'),
      `without line ${drop + 1}`,
    ).toEqual([...before.value.hosts]);
    expect(hosts.map(([name]) => name)).toContain('web7');
  }
});
