import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAgentSettings } from '../../shared/fleet/agent-yaml.ts';
import { describeWith } from '../rig/needs.ts';
import { type Evaluator, makeEvaluator, realLib } from '../rig/nix-module.ts';

/** A key of each type, then values, good and bad, that both sides are asked about. */
const values: Readonly<Record<string, readonly string[]>> = {
  name: [
    ...['host', 'web1', '1', 'a-b', 'a'.repeat(63), 'a'.repeat(64), '', '-a', 'a-', 'Web1', 'a_b', 'a.b'],
    ...['a b', 'é', 'a\n'],
  ],
  commit: [
    ...['floor', 'ab12'.repeat(10), 'ab12'.repeat(9), 'ab12'.repeat(16), 'AB12'.repeat(10)],
    ...['g'.repeat(40), '', `${'0'.repeat(40)}\n`],
  ],
  remote: [
    ...['stateRemote', 'ssh://git@git.example.org/f.git', 'git@git.example.org:f.git', '/srv/f.git', './f'],
    ...['https://git.example.org:8443/f.git', 'https://u:p@git.example.org/f', 'HTTPS://git.example.org/f'],
    ...['ssh://[2001:db8::1]:22/f.git', 'ssh://git@[::1]/f', 'git://h', 'file:///srv/f.git', 'http://h:/f'],
    ...['', '  ', '-oProxyCommand=x', 'ext::sh -c x', 'EXT:x', 'fd:3', 'foo::bar', 'ssh://-o/f', 'a@-b:f'],
    ...['ssh://u@-h/f', 'https://h/f?token=x', 'https://h/f#x', 'ssh://h/f?x', 'https://u:p/w@h/f'],
    ...['https:///f', 'ssh://', 'ssh://h:22x/f', 'http:h?x', 'a\nb', 'a\u007f', 'h:[::1]', 'ssh://[::1/f'],
    ...[`/${'a'.repeat(1999)}`, `/${'a'.repeat(2000)}`, 'ssh://a]b/f', 'x+y.z::', 'https://a@b@-c/f'],
  ],
  branch: [
    ...['branch', 'main', 'config/live', 'a.b', 'a-b', 'a@b', 'state-x', 'statement', 'é', 'a'.repeat(200)],
    ...['', '@', 'HEAD', '-a', 'a..b', 'a@{b', 'a//b', '/a', 'a/', 'a b', 'a~b', 'a^b', 'a:b', 'a?b', 'a*b'],
    ...[
      'a[b',
      'a\\b',
      'a]b',
      '.a',
      'a/.b',
      'a.lock',
      'a.lock/b',
      'a.',
      'a./b',
      'state',
      'state/x',
      'testing',
    ],
    ...['testing/x', 'enroll/y', 'enroll', 'a\tb', 'a'.repeat(201), 'x/HEAD'],
  ],
  folder: [
    ...['dir', '.', 'infra', 'infra/fleet', 'a b', 'a/.hidden', '..a', 'a..', '...', 'é/ü', '', '/', '/a'],
    ...['a/', 'a//b', './a', 'a/.', 'a/./b', '..', '../a', 'a/../b', 'a/..', '-a', 'a/-b', 'a\nb', 'a\u007f'],
  ],
  path: [
    ...[
      'key',
      '/a',
      '/a/b',
      '/a b/${c}',
      '/.ssh/id',
      '/a/..b',
      '/-a',
      '/é',
      '',
      '/',
      'a',
      './a',
      '/a/',
      '//a',
    ],
    ...['/a//b', '/.', '/..', '/a/.', '/a/../b', '/./a', '/a\nb', '/a\u0001', '~/a'],
  ],
  wait: [
    ...[
      'interval',
      '500ms',
      '30s',
      '5m',
      '2h',
      '7d',
      '24d',
      '25d',
      '576h',
      '577h',
      '34560m',
      '34561m',
      '2073600s',
    ],
    ...[
      '2073601s',
      '2073600000ms',
      '2073600001ms',
      '999999999999d',
      '1000000000000ms',
      '0s',
      '01s',
      '',
      '5',
      's',
    ],
    ...['5 m', '-5m', '1.5h', '5M', '5m\n', '1w'],
  ],
};

const least = { host: 'web1', remote: '/srv/fleet.git', introduction: '3c5e'.repeat(10) };

const libs = [['stub', null], ...(realLib() === null ? [] : [['real', realLib()] as const])] as const;

describeWith(['nix'], 'the types of services.autark', () => {
  let dir: string;
  const evaluators = new Map<string, Evaluator>();
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'autark-types-'));
    for (const [name, lib] of libs) evaluators.set(name, await makeEvaluator(join(dir, name), lib));
  });
  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  test.each(libs.flatMap(([lib]) => Object.keys(values).map((type) => [lib, type] as const)))(
    'take and refuse what the agent does (%s lib, %s)',
    async (lib, type) => {
      const [key = '', ...asked] = values[type] ?? [];
      const text = JSON.stringify(JSON.stringify(asked)).replaceAll('${', '\\${');
      const check = `(import (autark + "/nix/types.nix") lib).${type}.check`;
      const said = await evaluators.get(lib)?.value(`map ${check} (builtins.fromJSON ${text})`);
      const verdicts = asked.map((value) => {
        const yaml = JSON.stringify({ ...least, [key]: value });
        return [value, parseAgentSettings(yaml, 'agent.yaml').ok];
      });
      expect(asked.map((value, at) => [value, (said as boolean[])[at]])).toEqual(verdicts);
      expect(new Set(said as boolean[])).toEqual(new Set([true, false]));
    },
  );

  test.each(libs)('take text alone (%s lib)', async (lib) => {
    const check = '(type: map type.check [ 7 null true [ "a" ] { } /srv/a (x: x) ])';
    const said = await evaluators
      .get(lib)
      ?.value(`map ${check} (builtins.attrValues (import (autark + "/nix/types.nix") lib))`);
    expect((said as boolean[][]).flat()).toEqual(Array.from({ length: 7 * 7 }, () => false));
  });
});
