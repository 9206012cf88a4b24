import { describe, expect, test } from 'vitest';
import { newFleetYaml } from '../../../shared/fleet/edit.ts';
import { parseFleet } from '../../../shared/fleet/parse.ts';
import { addedLines, approved, hostOf } from './approving.ts';
import { everything, fleetId, fleetYaml, genesis, publicKey, recipient } from './sample.ts';

describe('newFleetYaml', () => {
  const readers = [`${publicKey(1)} alice@example.org`, recipient];

  test('is valid and without hosts', () => {
    const result = parseFleet(newFleetYaml({ fleet: fleetId, readers }), {
      file: 'fleet.yaml',
      version: '0.1.0',
    });
    expect(result).toMatchObject({ ok: true, value: { fleet: fleetId, readers, groups: [], warnings: [] } });
    expect(result.ok && result.value.hosts.size).toBe(0);
  });

  test.each(['1'.repeat(32), `12e${'4'.repeat(29)}`, `0${'0'.repeat(31)}`])(
    'keeps the id %s text',
    (fleet) => {
      const result = parseFleet(newFleetYaml({ fleet, readers: [] }), {
        file: 'fleet.yaml',
        version: '0.1.0',
      });
      expect(result).toMatchObject({ ok: true, value: { fleet, readers: [] } });
    },
  );

  test('takes a host, by added lines alone', () => {
    const before = newFleetYaml({ fleet: fleetId, readers });
    const after = approved(before, { system: { kind: 'exec', build: 'hosts/web7/build' } });
    expect(addedLines(before, after)).toEqual([
      '  web7:',
      `    key: ${publicKey(7)}`,
      `    genesis: ${genesis}`,
      '    system: { kind: exec, build: hosts/web7/build }',
    ]);
  });
});

describe('a new host', () => {
  test('comes after the others, with everything else as it was', () => {
    const after = approved(everything, {
      groups: ['web', 'empty'],
      system: { kind: 'nixos', attr: 'web-seven' },
    });
    expect(addedLines(everything, after)).toEqual([
      '  web7:',
      `    key: ${publicKey(7)}`,
      `    genesis: ${genesis}`,
      '    groups: [ web, empty ]',
      '    system: { kind: nixos, attr: web-seven }',
    ]);
    expect(after.indexOf('  web7:')).toBeGreaterThan(after.indexOf('  db1:'));
    expect(after.indexOf('  web7:')).toBeLessThan(after.indexOf('secrets:'));
    expect(hostOf(after)).toMatchObject({
      key: publicKey(7),
      genesis,
      groups: ['web', 'empty'],
      system: { attr: 'web-seven' },
    });
  });

  test('a default folder is not written, another one is', () => {
    expect(approved(fleetYaml(), { system: { kind: 'nixos', attr: 'a', dir: '.' } })).toContain(
      'system: { kind: nixos, attr: a }\n',
    );
    expect(approved(fleetYaml(), { system: { kind: 'nixos', dir: 'nix' } })).toContain(
      'system: { kind: nixos, dir: nix }\n',
    );
  });

  test('makes the section when there is none', () => {
    const before = fleetYaml('', '# the end');
    const after = approved(before);
    expect(addedLines(before, after)[0]).toBe('hosts:');
    expect(hostOf(after)?.genesis).toBe(genesis);
  });

  test.each([
    [
      'odd indentation',
      ['hosts:', '     a:', '        keep: 1', '     b:', '        keep: 2', 'x-z: 1'],
      ['     web7:', '        key:'],
    ],
    [
      'a comment after the last host',
      [
        'hosts:',
        '  a:',
        '    keep: 1 # one',
        '    # keep: 2',
        '',
        '    # keep: 3',
        '',
        '# secrets',
        'secrets: {}',
      ],
      ['  web7:', '    key:'],
    ],
    [
      'flow entries below a block',
      ['hosts:', '  a: { keep: 1 }', '  b: {', '    keep: 2 }   # two', ''],
      ['  web7:', '    key:'],
    ],
    ['a section with nothing in it', ['hosts:    # none yet', '', 'secrets:'], ['  web7:', '    key:']],
    ['entries with nothing in them', ['hosts:', '  a:', '  b:   # later', 'x-z: 1'], ['  web7:', '    key:']],
    [
      'a text of many lines at the end',
      ['hosts:', '  a:', '    x-note: |', '      # no comment', '      two', '', 'x-z: 1'],
      ['  web7:', '    key:'],
    ],
    [
      'a list without indentation at the end',
      ['groups: { g: {} }', 'hosts:', '  a:', '    groups:', '    - g # last', 'x-z: 1'],
      ['  web7:', '    key:'],
    ],
    ['an alias at the end', ['x-a: &a { keep: 1 }', 'hosts:', '  a: *a', 'x-z: 1'], ['  web7:', '    key:']],
    ['keys in quotes', ['"hosts":', '  "a": {}', 'x-z: 1'], ['  web7:', '    key:']],
    ['an explicit key', ['hosts:', '  ? a', '  : { keep: 1 }', 'x-z: 1'], ['  web7:', '    key:']],
    ['a file that ends with ...', ['hosts:', '  a: {}', '...'], ['  web7:', '    key:']],
  ])('with %s', (_what, lines, expected) => {
    const before = fleetYaml(...lines);
    const after = approved(before);
    const added = addedLines(before, after);
    expect(added).toHaveLength(3);
    expect(added[0]).toBe(expected[0]);
    expect(added[1]).toBe(`${expected[1] ?? ''} ${publicKey(7)}`);
    expect(hostOf(after)).toMatchObject({ key: publicKey(7), genesis });
  });

  test('leaves the comments of the host above with it', () => {
    const after = approved(fleetYaml('hosts:', '  a:', '    keep: 1', '    # keep: 2', '# next'));
    expect(after.indexOf('# keep: 2')).toBeLessThan(after.indexOf('web7:'));
    expect(after.indexOf('web7:')).toBeLessThan(after.indexOf('# next'));
  });

  test('is fine without a last line end, and with those of Windows', () => {
    const open = fleetYaml('hosts:', '  a: {}').trimEnd();
    expect(approved(open).startsWith(`${open}\n  web7:\n`)).toBe(true);
    const windows = fleetYaml('hosts:', '  a: {}').replaceAll('\n', '\r\n');
    const after = approved(windows);
    expect(after.startsWith(windows)).toBe(true);
    expect(after.replaceAll('\r\n', '')).not.toContain('\n');
  });
});
