import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAgentSettings } from '../../shared/fleet/agent-yaml.ts';
import type { AgentSettings } from '../../shared/fleet/fleet.ts';
import { moduleStanza } from '../../shared/nix/stanza.ts';
import { describeWith } from '../rig/needs.ts';
import { type Evaluator, makeEvaluator } from '../rig/nix-module.ts';

const least: AgentSettings = {
  ...{ host: 'web1', remote: 'ssh://git@git.example.org/fleet.git', branch: 'main', dir: '.' },
  introduction: '3c5e'.repeat(10),
};
const most: AgentSettings = {
  ...{ ...least, stateRemote: '/srv/s "x" \\ ${y} $$z.git', branch: 'live', dir: 'a b/${c}' },
  ...{
    floor: '88d0'.repeat(10),
    key: '/etc/k"ey',
    gitKey: '/var/lib/\\key',
    knownHosts: '/etc/$' + '{hosts}',
  },
  ...{ tokenFile: '/run/token', profile: '/nix/var/nix/profiles/other', interval: 90_000 },
};

test('a stanza says what the module does not have by itself', () => {
  expect(moduleStanza(least)).toBe(`services.autark = {
  enable = true;
  host = "web1";
  remote = "ssh://git@git.example.org/fleet.git";
  introduction = "${'3c5e'.repeat(10)}";
};`);
});

test('a stanza holds no password', () => {
  const stanza = moduleStanza({
    ...least,
    remote: 'https://u:s3cret@h/f',
    stateRemote: 'https://s3cret@h/s',
  });
  expect(stanza).not.toContain('s3cret');
  expect(stanza).toContain('remote = "https://h/f";');
});

describeWith(['nix'], 'a stanza', () => {
  let dir: string;
  let nix: Evaluator;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'autark-stanza-'));
    nix = await makeEvaluator(dir);
  });
  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  test.each([
    ['the least', least],
    ['every key', most],
  ])('makes the module write the same settings: %s', async (_what, settings) => {
    const { etc, failed } = await nix.machine(moduleStanza(settings));
    expect(failed).toEqual([]);
    expect(parseAgentSettings(etc['autark/agent.yaml']?.text ?? '', 'agent.yaml')).toEqual({
      ok: true,
      value: settings,
    });
  });
});
