import { describe, expect, test } from 'vitest';
import { formatAgentSettings, parseAgentSettings } from '../../../shared/fleet/agent-yaml.ts';
import type { AgentSettings } from '../../../shared/fleet/fleet.ts';

const introduction = '3c5e'.repeat(10);
const floor = '88d0'.repeat(10);
const file = '/etc/autark/agent.yaml';

const least = ['host: web1', 'remote: ssh://git@example.org/fleet.git', `introduction: ${introduction}`];

function settings(...lines: readonly string[]) {
  return parseAgentSettings([...least, ...lines, ''].join('\n'), file);
}

/** The failure of a file in which one of the least lines, or a further one, is another. */
function failure(line: string) {
  const key = line.slice(0, line.indexOf(':') + 1);
  const lines = [...least.filter((each) => !each.startsWith(key)), line];
  const result = parseAgentSettings(`${lines.join('\n')}\n`, file);
  return result.ok ? undefined : result.failure;
}

describe('parseAgentSettings', () => {
  test('fills in the defaults', () => {
    expect(settings()).toEqual({
      ok: true,
      value: {
        host: 'web1',
        remote: 'ssh://git@example.org/fleet.git',
        introduction,
        branch: 'main',
        dir: '.',
      },
    });
  });

  test('reads every key', () => {
    const text = `host: web1
remote: ssh://git@example.org/fleet.git      # anything Git can fetch from
stateRemote: https://example.org/state.git
branch: config/live
dir: infra/fleet
introduction: ${introduction}
floor: "${floor}"
key: /etc/ssh/ssh_host_ed25519_key
gitKey: /var/lib/autark/git/id_ed25519
knownHosts: /etc/autark/known_hosts
tokenFile: /etc/autark/token
profile: /nix/var/nix/profiles/system
interval: 90s
x-rack: 7
`;
    expect(parseAgentSettings(text, file)).toEqual({
      ok: true,
      value: {
        host: 'web1',
        remote: 'ssh://git@example.org/fleet.git',
        stateRemote: 'https://example.org/state.git',
        branch: 'config/live',
        dir: 'infra/fleet',
        introduction,
        floor,
        key: '/etc/ssh/ssh_host_ed25519_key',
        gitKey: '/var/lib/autark/git/id_ed25519',
        knownHosts: '/etc/autark/known_hosts',
        tokenFile: '/etc/autark/token',
        profile: '/nix/var/nix/profiles/system',
        interval: 90_000,
      },
    });
  });

  test.each([
    '/srv/git/fleet.git',
    '../fleet.git',
    'file:///srv/git/fleet.git',
    'git@example.org:fleet.git',
    'ssh://git@[fe80::1]:22/fleet.git',
    'git://example.org/fleet-repo.git',
    'https://example.org/a-b/fleet.git',
    '/srv/with space/and:colon::twice',
    'https://user:p%40ss%2Fword@example.org:8443/fleet.git',
    'https://[2001:db8::1]/fleet.git',
  ])('takes the remote %s', (remote) => {
    expect(settings().ok && failure(`remote: ${JSON.stringify(remote)}`)).toBeUndefined();
  });

  test.each([
    '-oProxyCommand=touch /tmp/x',
    '--upload-pack=touch /tmp/x',
    'ext::sh -c touch% /tmp/x',
    'EXT::sh',
    'fd::17/foo',
    'ext://sh',
    'anything::at all',
    '::x',
    'ssh://-oProxyCommand=x/fleet.git',
    'ssh://git@-oProxyCommand=x/fleet.git',
    'git@-oProxyCommand=x:fleet.git',
    ' ',
    '',
    'https://example.org/\nfleet',
    // git would hand these to its transport programs as they are.
    'https://me:hunter/2@example.org/fleet.git',
    'https://example.org/fleet.git?private_token=hunter2',
    'https://example.org/fleet.git#hunter2',
    'ssh://me:hunter/2@example.org/fleet.git',
    'https://me:hunter2@/fleet.git',
  ])('refuses the remote %j', (remote) => {
    expect(failure(`remote: ${JSON.stringify(remote)}`)).toMatchObject({
      kind: 'agent-config',
      where: `${file}:3:9`,
      cause: expect.stringMatching(/^remote must be an address/) as string,
    });
  });

  test.each(['main', 'config/main', 'statement', 'a.b', 'über', 'testing-2', 'my/state'])(
    'takes the branch %s',
    (branch) => {
      expect(failure(`branch: ${branch}`)).toBeUndefined();
    },
  );

  // The rules of git-check-ref-format(1), then the branches that belong to the hosts.
  test.each([
    '.main',
    'a/.b',
    'main.lock',
    'a.lock/b',
    'a..b',
    'a b',
    'a~b',
    'a^b',
    'a:b',
    'a?b',
    'a*b',
    'a[b',
    'a\\b',
    '/a',
    'a/',
    'a//b',
    'a.',
    'a@{b',
    '@',
    'HEAD',
    '',
    '-a',
    'a\tb',
    'state',
    'testing',
    'enroll',
    'state/web1',
    'testing/web1',
    'enroll/web1/0123',
  ])('refuses the branch %j', (branch) => {
    expect(failure(`branch: ${JSON.stringify(branch)}`)).toMatchObject({
      kind: 'agent-config',
      where: `${file}:4:9`,
    });
  });

  test('refuses a control character, also when YAML hides it', () => {
    expect(failure('branch: "a\\x7fb"')).toMatchObject({ kind: 'agent-config', where: `${file}:4:9` });
    expect(failure('remote: "/srv/a\\eb"')).toMatchObject({ kind: 'agent-config', where: `${file}:3:9` });
  });

  test.each([
    ['host: Web_1', '3:7', /^host must be a name/],
    ['host: --help', '3:7', /^host must be a name/],
    ['introduction: 3c5e1a2', '3:15', /^introduction must be a whole commit id.*“3c5e1a2”/],
    ['introduction: HEAD', '3:15', /^introduction must be a whole commit id/],
    ['key: id_ed25519', '4:6', /^key must be an absolute path/],
    ['gitKey: /var/../etc/key', '4:9', /^gitKey must be an absolute path/],
    ['dir: ../elsewhere', '4:6', /^dir must be a folder of the repository/],
    ['interval: 60', '4:11', /^interval must be a duration.*the number 60/],
    ['stateremote: /srv/x', '4:1', /^stateremote is not a key/],
    ['host: [web1]', '3:7', /^host must be a name.*a list/],
    ['remote:', '3:1', /^remote must be an address.*nothing/],
  ])('%s', (line, place, cause) => {
    const found = failure(line);
    expect(found).toMatchObject({ kind: 'agent-config', where: `${file}:${place}` });
    expect(found?.cause).toMatch(cause);
  });

  test('names the key that was meant', () => {
    expect(failure('stateremote: /srv/x')?.remedy).toContain('did you mean stateRemote?');
  });

  test('says what is missing, all of it', () => {
    const result = parseAgentSettings('branch: main\n', file);
    expect(result.ok ? {} : result.failure).toMatchObject({
      where: `${file}:1:1`,
      cause: expect.stringMatching(/^host is missing/) as string,
      detail: expect.stringMatching(
        /^and 2 more:\n.*remote is missing.*\n.*introduction is missing/,
      ) as string,
    });
  });

  test.each([
    ['empty', ''],
    ['no map', '- a'],
    ['broken', 'host: "web1'],
    ['binary', '\u0000\u0001'],
    ['a key twice', 'host: a\nhost: b'],
  ])('%s is a failure, not an exception', (_what, text) => {
    const result = parseAgentSettings(text, file);
    expect(result.ok ? {} : result.failure).toMatchObject({
      kind: 'agent-config',
      where: expect.stringContaining(`${file}:`) as string,
    });
  });

  test('does not repeat a password', () => {
    for (const remote of [
      'ext::https://me:hunter2@example.org/x',
      'https://me:a/hunter2@example.org/x',
      'https://example.org/x?token=hunter2',
    ]) {
      const found = failure(`remote: "${remote}"`);
      expect(found?.kind).toBe('agent-config');
      expect(JSON.stringify(found)).not.toContain('hunter2');
    }
  });
});

describe('formatAgentSettings', () => {
  const all: AgentSettings = {
    interval: 90_000,
    profile: '/nix/var/nix/profiles/system',
    tokenFile: '/etc/autark/token: #1',
    knownHosts: '/etc/autark/known_hosts',
    gitKey: '/var/lib/autark/git/id_ed25519',
    key: '/etc/ssh/ssh_host_ed25519_key',
    floor: '1'.repeat(40),
    introduction: `1e${'2'.repeat(38)}`,
    dir: '.',
    branch: 'main',
    stateRemote: '/srv/state',
    remote:
      'ssh://git@example.org/a-very-long-path/that-goes-on-and-on/beyond-eighty-columns/of-text/fleet.git',
    host: 'web1',
  };

  test('is one comment, then the keys in the order of the documentation', () => {
    const lines = formatAgentSettings(all).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^# /);
    expect(lines.slice(1).map((line) => line.slice(0, line.indexOf(':')))).toEqual([
      'host',
      'remote',
      'stateRemote',
      'branch',
      'dir',
      'introduction',
      'floor',
      'key',
      'gitKey',
      'knownHosts',
      'tokenFile',
      'profile',
      'interval',
    ]);
    expect(lines).toContain('interval: 90s');
  });

  test('is read back as the same settings, ids of digits alone included', () => {
    expect(parseAgentSettings(formatAgentSettings(all), file)).toEqual({ ok: true, value: all });
    const few = { host: '010', remote: '/srv/x', branch: 'null', dir: '.', introduction };
    expect(parseAgentSettings(formatAgentSettings(few), file)).toEqual({ ok: true, value: few });
  });
});
