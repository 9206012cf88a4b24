import { describe, expect, test } from 'vitest';
import type { Checked } from '../../../shared/doctor/checked.ts';
import {
  checkAdmins,
  checkFleetFile,
  checkGit,
  checkHead,
  checkHook,
  checkHosts,
  checkIntroduction,
  checkSigning,
} from '../../../shared/doctor/clone.ts';
import { fail, ok, type Failure } from '../../../shared/failure.ts';
import type { HostView } from '../../../shared/fleet-view/host-state.ts';
import { parseFleet } from '../../../shared/fleet/parse.ts';
import { formatPrivateKey, parsePrivateKey } from '../../../shared/trust/ssh-key.ts';

const isOf = (checks: readonly Checked[]) => checks.map(({ rule, is }) => `${rule} ${is}`);
const keyOf = (seed: number): string => {
  const parsed = parsePrivateKey(formatPrivateKey(new Uint8Array(32).fill(seed), '', 1));
  if (!parsed.ok) throw new Error('no key');
  return parsed.value.line;
};
const [mine, other] = [keyOf(1), keyOf(2)];

test.each([
  ['git version 2.34.0', 'well'],
  ['git version 2.33.8', 'not-well'],
  ['git version 1.9.1', 'not-well'],
  ['git version 3.0.0', 'well'],
  ['git version 2.50.1 (Apple Git-155)', 'well'],
  ['no', 'unknown'],
  [null, 'unknown'],
])('%s is %s', (version, is) => {
  expect(isOf(checkGit(version))).toEqual([`git ${is}`]);
});

describe('signing', () => {
  const joined = [
    ['gpg.format', 'ssh'],
    ['user.signingkey', '/key'],
    ['commit.gpgsign', 'true'],
    ['gpg.ssh.allowedsignersfile', '/allowed_signers'],
  ] as const;
  test('is what join sets', () => {
    expect(isOf(checkSigning(new Map(joined)))).toEqual(['signing well']);
  });

  test.each(joined.map(([key]) => key))('names %s when it is not set, and join', (key) => {
    const checks = checkSigning(new Map(joined.filter(([each]) => each !== key)));
    expect(checks).toMatchObject([{ finding: { code: 1, remedy: 'run `autark join`' } }]);
    expect(JSON.stringify(checks)).toContain(key);
  });

  test('by gpg is not signing for hosts', () => {
    expect(isOf(checkSigning(new Map([...joined, ['gpg.format', 'openpgp']])))).toEqual(['signing not-well']);
    expect(isOf(checkSigning(new Map([...joined, ['commit.gpgsign', 'false']])))).toEqual([
      'signing not-well',
    ]);
  });
});

describe('admins', () => {
  const of = (lines: readonly string[], key = ok(mine)) => checkAdmins(lines.join('\n'), key);
  test('two keys are well, one is advised against, none is to be mended', () => {
    expect(isOf(of([`a ${mine}`, `b ${other}`]))).toEqual([
      'key well',
      'allowed_signers well',
      'admins well',
    ]);
    expect(isOf(of([`a ${mine}`]))).toEqual(['key well', 'allowed_signers well', 'admins advice']);
    expect(isOf(of(['# nobody']))).toEqual(['key not-well', 'allowed_signers not-well']);
  });

  test('one key under two names is one key', () => {
    expect(isOf(of([`a ${mine}`, `b ${mine}`]))).toContain('admins advice');
  });

  test('a key that is not listed is refused by hosts (20)', () => {
    expect(of([`b ${other}`])).toMatchObject([{ rule: 'key', finding: { code: 20 } }, {}, {}]);
    const none: Failure = { kind: 'unexpected', cause: 'no key', remedy: 'make one' };
    expect(checkAdmins(`b ${other}`, fail(none))[0]).toMatchObject({ finding: { cause: 'no key' } });
  });

  test('each line that grants nothing is named with its number (21)', () => {
    const found = of([`a ${mine}`, `b  ${other}`, '', `c ${other}\r`]).filter(
      ({ rule }) => rule === 'allowed_signers',
    );
    expect(found).toMatchObject([
      { finding: { code: 21, where: 'allowed_signers:2' } },
      { finding: { code: 21, where: 'allowed_signers:4' } },
    ]);
  });

  test('a commit without the file lets nobody sign', () => {
    expect(isOf(checkAdmins(null, ok(mine)))).toEqual(['allowed_signers not-well']);
  });
});

describe('the pre-push hook', () => {
  const hook = { path: '/h', text: '#!/bin/sh\nexec autark check "$@"\n', isExecutable: true };
  test.each([
    ['that checks', hook, 'well', ''],
    ['that is missing', { ...hook, text: null }, 'not-well', 'autark join'],
    ['that cannot run', { ...hook, isExecutable: false }, 'not-well', 'chmod +x /h'],
    [
      'of somebody else',
      { ...hook, text: '#!/bin/sh\nmake test\n' },
      'not-well',
      'add a line with `autark check`',
    ],
    ['whose check is a comment', { ...hook, text: '#!/bin/sh\n# autark check\n' }, 'not-well', 'add a line'],
  ])('%s', (_name, facts, is, words) => {
    const checks = checkHook(facts);
    expect(isOf(checks)).toEqual([`hook ${is}`]);
    expect(JSON.stringify(checks)).toContain(words);
  });
});

test.each([
  ['a'.repeat(40), 'well'],
  [null, 'not-well'],
  ['main', 'not-well'],
])('the introduction %s is %s', (told, is) => {
  expect(isOf(checkIntroduction(told))).toEqual([`introduction ${is}`]);
});

test('each slip in fleet.yaml is a finding of its own (21), with its line', () => {
  const parse = (text: string) => parseFleet(text, { file: 'fleet.yaml', version: '0.1.0' });
  const good = `version: 1\nfleet: ${'ab'.repeat(16)}\nhosts:\n  web1: { system: { kind: exec, build: b } }\n`;
  expect(isOf(checkFleetFile(parse(good)))).toEqual(['fleet.yaml well']);
  const found = checkFleetFile(
    parse(`${good}  web2: { system: { kind: exec, build: b }, keep: no, interval: soon }\n`),
  );
  expect(found).toMatchObject([
    { finding: { code: 21, where: expect.stringMatching(/^fleet\.yaml:5:/) as string } },
    { finding: { code: 21 } },
  ]);
  expect(isOf(checkFleetFile(null))).toEqual(['fleet.yaml not-well']);
});

test('a head that hosts refuse is told once, beside what else is not well with the branch', () => {
  const head = 'a'.repeat(40);
  expect(isOf(checkHead(ok({ head, stale: null, findings: [] })))).toEqual(['head well']);
  expect(isOf(checkHead(fail({ kind: 'unexpected', cause: 'x', remedy: 'y' })))).toEqual(['head unknown']);
  const stale = { kind: 'not-authentic', cause: 'it is not signed', where: head, remedy: 'sign it' } as const;
  const twice = { rule: 'S3', code: 20, where: head, cause: stale.cause, remedy: stale.remedy };
  const fork = { rule: 'S10', code: 20, where: 'web1', cause: 'two branches', remedy: 'look at the server' };
  const found = checkHead(ok({ head, stale, findings: [twice, fork] }));
  expect(found).toMatchObject([
    { is: 'not-well', rule: 'head', finding: { code: 20, cause: 'it is not signed', where: head } },
    { is: 'not-well', rule: 'head', finding: { code: 20, cause: 'two branches', where: 'web1' } },
  ]);
});

test('failed, held and silent hosts are counted and named, and status says more', () => {
  const view = (host: string, state: HostView['state']): HostView => ({
    ...{ host, state, cause: null, code: null, revision: null, behind: null, generation: null },
    ...{ since: null, verified: true },
  });
  const views = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => view(name, 'silent'));
  const [found] = checkHosts(ok([...views, view('web1', 'failed'), view('web2', 'held')]));
  expect(found).toMatchObject({
    finding: {
      code: 1,
      cause: '1 failed (web1), 1 held (web2), 6 silent (a, b, c, d, e, …)',
      remedy: expect.stringContaining('autark status') as string,
    },
  });
  for (const state of ['converged', 'paused', 'retired', 'building'] as const)
    expect(isOf(checkHosts(ok([view('web2', state)])))).toEqual(['hosts well']);
  expect(isOf(checkHosts(fail({ kind: 'unexpected', cause: 'x', remedy: 'y' })))).toEqual(['hosts unknown']);
});
