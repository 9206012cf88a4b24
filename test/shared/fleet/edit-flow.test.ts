import { describe, expect, test } from 'vitest';
import { addedLines, approved, hostOf } from './approving.ts';
import { fleetId, fleetYaml, genesis, publicKey } from './sample.ts';

describe('a new host in the flow style', () => {
  test.each([
    ['hosts: {}', `hosts:\n  web7:\n    key: ${publicKey(7)}\n    genesis: ${genesis}`],
    ['hosts: ~   # none', `hosts:   # none\n  web7:\n    key: ${publicKey(7)}\n    genesis: ${genesis}`],
    [
      'hosts: { a: { keep: 1 } }',
      `hosts: { a: { keep: 1 }, web7: { key: ${publicKey(7)}, genesis: ${genesis} } }`,
    ],
    [
      'hosts: { a: {}, } # end',
      `hosts: { a: {}, web7: { key: ${publicKey(7)}, genesis: ${genesis} }, } # end`,
    ],
    ['hosts: {a}', `hosts: {a, web7: { key: ${publicKey(7)}, genesis: ${genesis} }}`],
  ])('in %s', (line, expected) => {
    expect(approved(fleetYaml('x-a: 1', line, 'x-b: 2'))).toBe(
      fleetYaml('x-a: 1', ...expected.split('\n'), 'x-b: 2'),
    );
  });

  test('in a flow map of many lines', () => {
    const before = fleetYaml('hosts: {', '  a: { keep: 1 }, # one', '  # two', '}');
    const after = approved(before);
    expect(addedLines(before, after)).toEqual([`  web7: { key: ${publicKey(7)}, genesis: ${genesis} },`]);
    const without = fleetYaml('hosts: {', '  a: { keep: 1 } # one', '}');
    expect(approved(without)).toBe(
      fleetYaml(
        'hosts: {',
        '  a: { keep: 1 }, # one',
        `  web7: { key: ${publicKey(7)}, genesis: ${genesis} }`,
        '}',
      ),
    );
  });

  test('in a file that is all flow, such as JSON', () => {
    const json = JSON.stringify({ version: 1, fleet: fleetId, hosts: { a: {} } });
    expect(hostOf(approved(json))).toMatchObject({ key: publicKey(7) });
    expect(hostOf(approved(JSON.stringify({ version: 1, fleet: fleetId })))).toMatchObject({
      key: publicKey(7),
    });
    expect(
      hostOf(approved(JSON.stringify({ version: 1, fleet: fleetId, hosts: {} }, null, 2))),
    ).toMatchObject({ key: publicKey(7) });
  });

  test('ids and names that YAML would take for numbers stay text', () => {
    const digits = '1'.repeat(40);
    const after = approved(fleetYaml('hosts:', '  a: {}'), { host: '1e3', genesis: digits });
    expect(hostOf(after, '1e3')).toMatchObject({ name: '1e3', genesis: digits });
  });
});
