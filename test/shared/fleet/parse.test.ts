import { describe, expect, test } from 'vitest';
import type { Fleet, Host } from '../../../shared/fleet/fleet.ts';
import { parseFleet } from '../../../shared/fleet/parse.ts';
import { everything, fleetId, fleetYaml, genesis, publicKey, recipient } from './sample.ts';

const minute = 60_000;
const hour = 60 * minute;

function parsed(text: string, version = '1.4.0'): Fleet {
  const result = parseFleet(text, { file: 'fleet.yaml', version });
  expect(result.ok ? [] : result.failure).toEqual([]);
  if (!result.ok) throw new Error('not parsed');
  return result.value;
}

function host(name: string, ...lines: readonly string[]): Host {
  const found = parsed(fleetYaml(...lines)).hosts.get(name);
  if (found === undefined) throw new Error(`no host ${name}`);
  return found;
}

describe('the file of the documentation', () => {
  const fleet = parsed(everything);

  test('says what the fleet is', () => {
    expect(fleet.fleet).toBe(fleetId);
    expect(fleet.readers).toEqual([`${publicKey(1)} alice`, recipient]);
    expect(fleet.groups).toEqual(['web', 'empty']);
    expect([...fleet.hosts.keys()]).toEqual(['web1', 'pi', 'old1', 'db1']);
    expect(fleet.tooNew).toBe(false);
    expect(fleet.warnings).toEqual([]);
  });

  test('has its hosts resolved', () => {
    expect(fleet.hosts.get('web1')).toEqual({
      name: 'web1',
      key: publicKey(2),
      genesis,
      retired: false,
      groups: ['web'],
      system: { kind: 'nixos', attr: 'web1', dir: '.' },
      activate: 'switch',
      drift: 'report',
      interval: minute,
      heartbeat: null,
      health: [
        { kind: 'unit', target: 'nginx.service', timeout: 5000, retries: 3, soak: 0 },
        { kind: 'command', target: 'hosts/web1/check', timeout: 5000, retries: 3, soak: 0 },
      ],
      timeouts: { fetch: 5 * minute, build: 2 * hour, switch: 15 * minute },
      keep: 5,
      luksHeaders: true,
      steps: [
        {
          name: 'format-disks',
          run: 'hosts/web1/format',
          files: ['hosts/web1/layout.json'],
          destroys: ['/dev/disk/by-id/ata-X'],
          credentials: ['HETZNER_ROBOT_USER', 'HETZNER_ROBOT_PASS'],
          timeout: 30 * minute,
          approved: { installation: 'abc', devices: [{ serial: 'S1' }] },
        },
      ],
      done: ['partition'],
      paused: { reason: 'disk swap', until: Date.UTC(2027, 0, 5, 8) },
      agentFile: 'bin/autark.mjs',
    });
    expect(fleet.hosts.get('pi')?.system).toEqual({
      kind: 'exec',
      build: 'hosts/pi/build',
      inputs: ['hosts/pi', 'common'],
    });
    expect(fleet.hosts.get('old1')).toMatchObject({ retired: true, key: publicKey(4) });
    expect(fleet.hosts.get('db1')).not.toHaveProperty('key');
  });
});

test('two lines are a fleet', () => {
  expect(parsed(fleetYaml())).toEqual({
    fleet: fleetId,
    readers: [],
    groups: [],
    hosts: new Map(),
    secrets: new Map(),
    tooNew: false,
    warnings: [],
  });
});

test('sections and entries may be left empty', () => {
  const fleet = parsed(
    fleetYaml('readers:', 'defaults:', 'groups:', '  web:', 'hosts:', '  web1:', 'secrets:', '  token:'),
  );
  expect([...fleet.hosts.keys()]).toEqual(['web1']);
});

test('windows line ends, a byte order mark and a document marker do not matter', () => {
  const text = `\ufeff---\n${fleetYaml('hosts:', '  web1: {}')}...\n`.replaceAll('\n', '\r\n');
  expect([...parsed(text).hosts.keys()]).toEqual(['web1']);
});

test('names that are dear to JavaScript are names', () => {
  const fleet = parsed(
    fleetYaml(
      'groups: { constructor: { keep: 9 } }',
      'hosts:',
      '  constructor: { groups: [constructor] }',
      '  010: {}',
    ),
  );
  expect(fleet.hosts.get('constructor')?.keep).toBe(9);
  expect([...fleet.hosts.keys()]).toEqual(['constructor', '010']);
});

test('x- keys are the users own; below hosts, groups and secrets, x-… is a name', () => {
  const fleet = parsed(
    fleetYaml(
      'x-base: &base { keep: 7, x-who: me }',
      'hosts:',
      '  x-ray: *base',
      '  b: { timeouts: { x-1: 2 } }',
    ),
  );
  expect([...fleet.hosts.keys()]).toEqual(['x-ray', 'b']);
  expect(fleet.hosts.get('x-ray')?.keep).toBe(7);
});

describe('merging', () => {
  test('where nothing is said, the product decides', () => {
    expect(host('web1', 'hosts: { web1: {} }')).toEqual({
      name: 'web1',
      retired: false,
      groups: [],
      activate: 'switch',
      drift: 'report',
      interval: minute,
      heartbeat: 24 * hour,
      health: [],
      timeouts: { fetch: 5 * minute, build: 2 * hour, switch: 15 * minute },
      keep: 5,
      luksHeaders: false,
      steps: [],
      done: [],
    });
  });

  test('a host wins over its groups, a later group over an earlier one, and both over the defaults', () => {
    const layers = [
      'defaults: { keep: 1, interval: 1s, activate: boot, drift: correct }',
      'groups: { a: { keep: 2, interval: 2s, activate: switch }, b: { keep: 3, interval: 3s } }',
    ];
    const { keep, interval, activate, drift } = host(
      'web1',
      ...layers,
      'hosts: { web1: { groups: [a, b], keep: 4 } }',
    );
    expect({ keep, interval, activate, drift }).toEqual({
      keep: 4,
      interval: 3000,
      activate: 'switch',
      drift: 'correct',
    });
    expect(host('web1', ...layers, 'hosts: { web1: { groups: [b, a] } }').interval).toBe(2000);
  });

  test('maps merge key by key', () => {
    const { timeouts } = host(
      'web1',
      'defaults: { timeouts: { fetch: 1s, build: 1s } }',
      'groups: { a: { timeouts: { build: 2s } } }',
      'hosts: { web1: { groups: [a], timeouts: { switch: 3s } } }',
    );
    expect(timeouts).toEqual({ fetch: 1000, build: 2000, switch: 3000 });
  });

  test('lists are replaced', () => {
    const { system } = host(
      'web1',
      'defaults: { system: { kind: exec, build: b, inputs: [a, b] } }',
      'hosts: { web1: { system: { inputs: [c] } } }',
    );
    expect(system).toEqual({ kind: 'exec', build: 'b', inputs: ['c'] });
  });

  test('a system of another kind replaces, one of the same kind merges', () => {
    const layers = [
      'defaults: { system: { kind: nixos, dir: nix } }',
      'groups: { e: { system: { kind: exec, build: b } } }',
    ];
    expect(host('web1', ...layers, 'hosts: { web1: { groups: [e] } }').system).toEqual({
      kind: 'exec',
      build: 'b',
    });
    expect(
      host('web1', ...layers, 'hosts: { web1: { system: { kind: nixos, attr: other } } }').system,
    ).toEqual({
      kind: 'nixos',
      attr: 'other',
      dir: 'nix',
    });
    expect(
      host('web1', ...layers, 'hosts: { web1: { groups: [e], system: { kind: nixos } } }').system,
    ).toEqual({
      kind: 'nixos',
      attr: 'web1',
      dir: '.',
    });
  });

  test('a host may have no system at all', () => {
    expect(host('web1', `hosts: { web1: { key: ${publicKey(1)}, genesis: ${genesis} } }`)).not.toHaveProperty(
      'system',
    );
  });

  test('a retired host’s system may be unfinished', () => {
    expect(host('web1', 'hosts: { web1: { retired: true, system: { kind: exec } } }').retired).toBe(true);
  });
});

describe('requires', () => {
  const asks = (release: string) => fleetYaml(`requires: ${release}`);

  test.each(['1.4', '"1.4"', '1.4.0', '1', '1.3.9', '0.99'])('%s is met by 1.4.0', (release) => {
    expect(parsed(asks(release))).toMatchObject({ tooNew: false, warnings: [] });
  });

  test.each(['1.5', '2', '1.4.1', '"1.10"', '1.10', '10'])('%s is newer than 1.4.0', (release) => {
    const { tooNew, warnings } = parsed(asks(release));
    expect(tooNew).toBe(true);
    expect(warnings).toMatchObject([{ line: 3, column: 11, key: 'requires' }]);
    expect(warnings[0]?.cause).toContain(release.replaceAll('"', ''));
  });

  test('1.10 is not 1.1, though YAML takes it for that', () => {
    expect(parsed(asks('1.10'), '1.9.0').tooNew).toBe(true);
    expect(parsed(asks('1.1'), '1.9.0').tooNew).toBe(false);
  });

  test('unknown keys are warnings then, wherever they are, and the rest counts', () => {
    const fleet = parsed(
      fleetYaml(
        'requires: 9.0',
        'hosts:',
        '  web1:',
        '    keep: 3',
        '    quorum: 5',
        '    system: { kind: exec, build: b, cache: c }',
      ),
    );
    expect(fleet.hosts.get('web1')).toMatchObject({ keep: 3, system: { kind: 'exec', build: 'b' } });
    expect(fleet.warnings.map(({ line, column, key }) => [line, column, key])).toEqual([
      [3, 11, 'requires'],
      [7, 5, 'hosts.web1.quorum'],
      [8, 37, 'hosts.web1.system.cache'],
    ]);
  });

  test('what this release knows must still be right', () => {
    const result = parseFleet(fleetYaml('requires: 9.0', 'hosts: { web1: { keep: many, quorum: 5 } }'), {
      file: 'f',
      version: '1.0.0',
    });
    expect(result.ok ? [] : result.failure.map(({ key }) => key)).toEqual(['hosts.web1.keep']);
  });
});
