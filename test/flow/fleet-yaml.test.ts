import { afterAll, describe, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed, newest } from '../rig/fleet.ts';

const fleet = await makeDeployed();
const { host } = fleet;
afterAll(() => fleet.world.remove());

const push = (yaml: string | null, files = {}): Promise<string> =>
  fleet.server.commit({ files: { ...files, 'fleet.yaml': yaml } });

/** `line:column`, both from 1, of the first place where a text stands. */
function placeOf(yaml: string, what: string): string {
  const before = yaml.slice(0, yaml.indexOf(what)).split('\n');
  return `${before.length}:${(before.at(-1) ?? '').length + 1}`;
}

describe('a fleet.yaml that is not valid', () => {
  const own = (line: string) => (yaml: string) => yaml.replace('  web1:\n', `  web1:\n    ${line}\n`);
  const grouped = (yaml: string): string => yaml.replace(/^groups:.*/m, 'groups:\n  web: {}');

  test.each([
    ['a YAML error', own('paused: { reason: x'), null, /\S+/],
    ['an unknown key', own('intervall: 30s'), 'intervall', /intervall.*; .*interval/],
    [
      'a wrong type',
      own('keep: many'),
      'many',
      /hosts\.web1\.keep must be a whole number from 0 to 1000.*; \S+/,
    ],
    [
      'a wrong duration',
      own('timeouts: { build: 10 }'),
      '10 }',
      /timeouts\.build must be a duration .*; \S+/,
    ],
    [
      'a group that is not declared',
      (yaml) => grouped(own('groups: [wbe]')(yaml)),
      'wbe',
      /group .*wbe.*not declared.*did you mean web/,
    ],
    ['a bad host name', (yaml) => `${yaml}  Web_2: {}\n`, 'Web_2', /Web_2.*lower-case letters/],
    ['a duplicate key', own('keep: 3\n    keep: 4'), 'keep: 4', /keep/],
    ['nothing in it', () => '', null, /\S+/],
  ] as readonly [string, (yaml: string) => string, string | null, RegExp][])(
    '%s is said with its place, recorded (21), and nothing happens',
    async (_name, spoil, what, said) => {
      const before = host.running();
      const yaml = spoil(fleet.fleetYaml('web1'));
      const revision = await push(yaml, execHost('web1', 'must not run'));
      const { code, stderr } = await host.agent();
      expect(code).toBe(21);
      expect(stderr).toMatch(/ error failure web1 [0-9a-f]{12} verify: .* \(fleet\.yaml:\d+:\d+\); \S+/);
      if (what !== null) expect(stderr).toContain(`(fleet.yaml:${placeOf(yaml, what)})`);
      expect(stderr).toMatch(said);
      expect(host.running()).toEqual(before);
      const { status, parents } = await newest(host);
      expect(status.outcome).toMatchObject({
        event: 'failed',
        code: 21,
        attempted: revision,
        phase: 'verify',
      });
      expect(status.outcome.message).toMatch(/fleet\.yaml:\d+:\d+/);
      // Authentic it is: accepted means that, and nothing about what is in it.
      expect(status.accepted).toBe(revision);
      expect(parents).toHaveLength(1);
    },
  );

  test('and none at all is the same', async () => {
    await push(null);
    const { code, stderr } = await host.agent();
    expect(code).toBe(21);
    expect(stderr).toMatch(/has no fleet\.yaml \(fleet\.yaml\); put it back/);
  });

  test('once it is mended, the host goes on', async () => {
    await push(fleet.fleetYaml('web1'), execHost('web1', 'mended'));
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('mended');
  });
});

describe('a fleet.yaml that is valid', () => {
  test('may hold keys of one’s own', async () => {
    const yaml = fleet.fleetYaml('web1', ['x-rack: { row: 7 }']);
    await push(`${yaml}x-notes: [a, b]\n`, execHost('web1', 'with x- keys'));
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('with x- keys');
  });

  test('that requires a newer autark is deployed, with a warning that says what to do', async () => {
    const yaml = fleet
      .fleetYaml('web1', ['teleport: { to: mars }'])
      .replace('version: 1\n', 'version: 1\nrequires: 99.1\n');
    await push(yaml, execHost('web1', 'from the future'));
    const { code, stderr } = await host.agent();
    expect(code).toBe(0);
    expect(host.motd()).toBe('from the future');
    expect(stderr).toMatch(/ warn warning web1 .*needs autark 99\.1.*upgrade autark/);
    expect(stderr).toMatch(/ warn warning web1 .*teleport/);
  });

  test('merges defaults, groups and the host’s own values, the nearest first', async () => {
    const slow = { executable: '#!/bin/sh\nsleep 30\n' };
    const layered = (lines: readonly string[]): string =>
      fleet
        .fleetYaml('web1', ['groups: [slow]', ...lines])
        .replace(/^groups:.*/m, 'groups:\n  slow: { timeouts: { build: 1s } }')
        .replace('  interval: 60s', '  interval: 60s\n  timeouts: { build: 1h }');
    await push(layered([]), { 'hosts/web1/build': slow });
    const late = await host.agent();
    expect(late.stderr).toMatch(/longer than 1 s/);
    expect(late.code).toBe(31);
    const lessSlow = {
      executable: (execHost('web1', '')['hosts/web1/build'] as typeof slow).executable.replace(
        '\n',
        '\nsleep 1.5\n',
      ),
    };
    await push(layered(['timeouts: { build: 1m }']), {
      'hosts/web1/build': lessSlow,
      'hosts/web1/motd': 'merged\n',
    });
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('merged');
  });

  test('that has no system for the host holds it', async () => {
    const before = host.running();
    await push(fleet.fleetYaml('web1').replace(/ {4}system: .*\n/, ''));
    const { code, stderr } = await host.agent();
    expect(code).toBe(10);
    expect(stderr).toMatch(/says no system for web1 \(fleet\.yaml, hosts\.web1\); add `system`/);
    expect(host.running()).toEqual(before);
  });
});
