import { describe, expect, test } from 'vitest';
import { approveHost, pauseHost, retireHost, unpauseHost } from '../../../shared/fleet/edit.ts';
import { parseFleet } from '../../../shared/fleet/parse.ts';
import { addedLines, approved, hostOf, refused } from './approving.ts';
import { fleetYaml, genesis, publicKey } from './sample.ts';

const value = (result: ReturnType<typeof pauseHost>): string => {
  expect(result.ok ? undefined : result.failure).toBeUndefined();
  return result.ok ? result.value : '';
};
const lines = (...more: string[]): string =>
  fleetYaml(
    'groups: { web: {} } # ours',
    'hosts:',
    '  a: {} # first',
    '  web7: # the seventh',
    `    key: ${publicKey(7)} root@web7`,
    `    genesis: ${genesis}`,
    '    # why',
    '    keep: 2',
    ...more,
    '  # the last one',
    '  z:',
    '    keep: 3',
  );

describe('a pause', () => {
  test('is added to the entry, and nothing else is touched', () => {
    const after = value(pauseHost(lines(), 'web7', { reason: 'disk: swap', until: Date.UTC(2027, 0, 5, 8) }));
    expect(addedLines(lines(), after)).toEqual([
      '    paused: { reason: "disk: swap", until: 2027-01-05T08:00:00.000Z }',
    ]);
    expect(hostOf(after)?.paused).toEqual({ reason: 'disk: swap', until: Date.UTC(2027, 0, 5, 8) });
  });

  test('takes the place of the one that is there, in either style', () => {
    for (const there of [
      ['    paused: { reason: old }'],
      ['    paused:', '      reason: old', '      until: 2027-01-05T08:00Z'],
    ]) {
      const after = value(pauseHost(lines(...there), 'web7', { reason: 'new' }));
      expect(after).toBe(lines('    paused: { reason: new }'));
    }
  });

  test('may be the first thing that an empty entry says', () => {
    const after = value(pauseHost(fleetYaml('hosts:', '  web7:', '  a: {}'), 'web7', { reason: 'x' }));
    expect(after).toBe(fleetYaml('hosts:', '  web7:', '    paused: { reason: x }', '  a: {}'));
  });

  test('is taken out again, and the file is what it was before', () => {
    const paused = value(pauseHost(lines(), 'web7', { reason: 'x' }));
    expect(value(unpauseHost(paused, 'web7'))).toBe(lines());
    const between = fleetYaml(
      'hosts:',
      '  web7:',
      '    paused:',
      '      reason: x',
      '      # till when',
      '    keep: 2',
    );
    expect(value(unpauseHost(between, 'web7'))).toBe(fleetYaml('hosts:', '  web7:', '    keep: 2'));
  });

  test.each([
    ['{ paused: { reason: x }, keep: 1 }', '{ keep: 1 }'],
    ['{ keep: 1, paused: { reason: x } }', '{ keep: 1 }'],
    ['{ keep: 1, paused: { reason: x }, interval: 5m }', '{ keep: 1, interval: 5m }'],
    ['{ paused: { reason: x } }', '{}'],
  ])('is taken out of %s', (before, after) => {
    expect(value(unpauseHost(fleetYaml(`hosts: { web7: ${before}, a: {} }`), 'web7'))).toBe(
      fleetYaml(`hosts: { web7: ${after}, a: {} }`),
    );
  });

  test('that is the only thing in a block entry leaves an empty one', () => {
    const before = fleetYaml('hosts:', '  web7:', '    paused: { reason: x }', '  a: {}');
    const after = value(unpauseHost(before, 'web7'));
    expect(parseFleet(after, { file: 'fleet.yaml', version: '1.4.0' }).ok).toBe(true);
    expect(hostOf(after)?.paused).toBeUndefined();
  });

  test('that a group says is not taken out of the entry', () => {
    const before = fleetYaml(
      'groups: { web: { paused: { reason: x } } }',
      'hosts: { web7: { groups: [web] } }',
    );
    expect(unpauseHost(before, 'web7')).toMatchObject({
      ok: false,
      failure: { cause: /no pause of its own/ },
    });
  });
});

describe('a tombstone', () => {
  test('keeps key and genesis, and nothing else of the entry', () => {
    const after = value(retireHost(lines('    paused: { reason: x }'), 'web7'));
    expect(after).toBe(
      fleetYaml(
        'groups: { web: {} } # ours',
        'hosts:',
        '  a: {} # first',
        `  web7: { retired: true, key: ${publicKey(7)}, genesis: ${genesis} }`,
        '  # the last one',
        '  z:',
        '    keep: 3',
      ),
    );
    expect(hostOf(after)).toMatchObject({ retired: true, key: publicKey(7), genesis });
  });

  test('of a host that nobody approved says only that', () => {
    const after = value(retireHost(fleetYaml('hosts:', '  web7: { keep: 1 }', '  a: {}'), 'web7'));
    expect(after).toBe(fleetYaml('hosts:', '  web7: { retired: true }', '  a: {}'));
  });

  test('is not written where another entry is made from this one', () => {
    const before = fleetYaml('hosts:', '  web7: &w', '    keep: 1', '  a: *w');
    expect(retireHost(before, 'web7').ok).toBe(false);
  });
});

describe('another machine', () => {
  const other = 'b'.repeat(40);

  test('takes the place of the one that is pinned, only when that is asked for', () => {
    const before = lines();
    expect(refused(before, { key: publicKey(8), genesis: other })?.remedy).toMatch(/--replace/);
    const after = approved(before, { key: publicKey(8), genesis: other, replaces: true });
    expect(after).toBe(
      before
        .replace(`${publicKey(7)} root@web7`, publicKey(8))
        .replace(`genesis: ${genesis}`, `genesis: ${other}`),
    );
  });

  test('never that of a retired one, nor with the key of a third', () => {
    const retired = fleetYaml('hosts:', `  web7: { retired: true, key: ${publicKey(7)} }`);
    expect(refused(retired, { key: publicKey(8), replaces: true })?.cause).toMatch(/retired/);
    const third = fleetYaml('hosts:', `  a: { key: ${publicKey(8)} }`, `  web7: { key: ${publicKey(7)} }`);
    expect(refused(third, { key: publicKey(8), replaces: true })?.cause).toMatch(/a’s/);
  });

  test('that is not born yet is written by its key alone', () => {
    const born = { host: 'web7', key: publicKey(7), system: { kind: 'exec', build: 'b' } } as const;
    const after = value(approveHost(fleetYaml('hosts:', '  a: {}'), born));
    expect(hostOf(after)).toMatchObject({ key: publicKey(7), system: { kind: 'exec', build: 'b' } });
    expect(hostOf(after)?.genesis).toBeUndefined();
  });
});
