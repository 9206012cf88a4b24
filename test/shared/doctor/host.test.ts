import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Journal, Standing } from '../../../shared/cycle/journal.ts';
import {
  diagnosisOf,
  lineOf,
  notWell,
  advice,
  summaryOf,
  unknown,
  well,
} from '../../../shared/doctor/checked.ts';
import { checkKey } from '../../../shared/doctor/host-key.ts';
import { checkDaemon, checkJournal, checkStanding, checkUser } from '../../../shared/doctor/host-state.ts';
import { checkRemote } from '../../../shared/doctor/remote.ts';
import { fail, ok, type Failure } from '../../../shared/failure.ts';
import { serialiseCommit, withSignature } from '../../../shared/objects/commit.ts';
import { formatPrivateKey, parsePrivateKey } from '../../../shared/trust/ssh-key.ts';
import { signWith } from '../../../shared/trust/sshsig.ts';
import { fullJournal } from '../../agent/adapters/journals.ts';

const failure: Failure = { kind: 'unreachable', cause: 'no way', where: 'there', remedy: 'go' };

describe('a diagnosis', () => {
  test('exits with the code of the first thing to mend; advice and what is unknown leave it well', () => {
    const note = advice('admins', { cause: 'a single key', remedy: 'make another' });
    expect(diagnosisOf([well('a', 'b'), note, unknown('c', 'd')])).toMatchObject({ ok: true, code: 0 });
    const ill = diagnosisOf([note, notWell('remote', failure), notWell('x', { ...failure, kind: 'held' })]);
    expect(ill).toMatchObject({ ok: false, code: 50 });
    expect(ill.findings.map(({ rule, code }) => [rule, code])).toEqual([
      ['admins', 0],
      ['remote', 50],
      ['x', 10],
    ]);
    expect(diagnosisOf([])).toEqual({ ok: true, code: 0, findings: [] });
  });

  test('is a line a check, with where and what to do, and nothing that drives a terminal', () => {
    const hostile = notWell('remote', { ...failure, cause: 'no\u001b[31m way\nat all' });
    expect(lineOf(hostile)).toBe('mend  remote           no way at all (there); go');
    expect(lineOf(well('nix', '2.8'))).toBe('ok    nix              2.8');
    expect(summaryOf([well('a', 'b')])).toBe('all is well');
    expect(summaryOf([hostile, unknown('c', 'd')])).toBe('1 to mend, 1 could not be checked');
  });
});

const keyOf = (seed: number) => {
  const parsed = parsePrivateKey(formatPrivateKey(new Uint8Array(32).fill(seed), 'host', 1));
  if (!parsed.ok) throw new Error('no key');
  return parsed.value;
};
const signedBy = (seed: number): Uint8Array => {
  const who = { name: 'web1', email: 'web1@fleet', seconds: 1, zone: '+0000' };
  const fields = { tree: '0'.repeat(40), parents: [], author: who, committer: who, message: 'm\n' };
  const payload = serialiseCommit(fields);
  return withSignature(payload, signWith(keyOf(seed), 'git', payload));
};

describe('the host key', () => {
  const own = { file: '/key', key: ok(keyOf(1).line), pinned: null, signed: [] };
  test('is the one that is pinned and signed the records, as far as that is known', () => {
    expect(checkKey(own)[0]?.is).toBe('well');
    expect(checkKey({ ...own, pinned: keyOf(1).line, signed: [signedBy(1), signedBy(1)] })[0]?.is).toBe(
      'well',
    );
  });

  test('another than the pinned one, or than the one that enrolled, is 22', () => {
    expect(checkKey({ ...own, pinned: keyOf(2).line })).toMatchObject([
      { finding: { code: 22, where: '/key', cause: expect.stringContaining('fleet.yaml pins') as string } },
    ]);
    expect(checkKey({ ...own, signed: [signedBy(2)] })).toMatchObject([
      { finding: { code: 22, cause: expect.stringContaining('this host enrolled with') as string } },
    ]);
  });

  test('bytes that are no signed commit prove nothing', () => {
    const altered = Buffer.from(signedBy(2));
    altered[6] = 0x31;
    expect(checkKey({ ...own, signed: [altered, Buffer.from('x')] })[0]?.is).toBe('well');
  });

  test('that cannot be used keeps its own failure', () => {
    const bad: Failure = { kind: 'agent-config', cause: 'open to others', remedy: 'chmod 600' };
    expect(checkKey({ ...own, key: fail(bad) })).toMatchObject([
      { finding: { code: 2, remedy: 'chmod 600' } },
    ]);
  });
});

describe('what the agent remembers', () => {
  const standing: Standing = { head: 'a'.repeat(40), under: '', event: 'deployed', code: 0, cause: '' };
  const journal: Journal = { ...fullJournal, approved: true, diverged: null, standing, trial: null };

  test('a journal that is missing or not believed is 10', () => {
    expect(checkJournal(ok(null), '/j')).toMatchObject([
      { is: 'not-well', finding: { code: 10, where: '/j' } },
    ]);
    const doubt = { ...failure, kind: 'held' } as const;
    expect(checkJournal(fail(doubt), '/j')).toMatchObject([{ finding: { code: 10, cause: 'no way' } }]);
    expect(checkJournal(ok(journal), '/j')[0]?.is).toBe('well');
    expect(checkJournal(ok({ ...journal, approved: false }), '/j')[0]?.is).toBe('advice');
  });

  test('a divergence is 12, until somebody said that this machine goes on', () => {
    const diverged = { cause: 'two lives', where: 'b'.repeat(40), goesOn: false };
    expect(checkStanding({ ...journal, diverged })).toMatchObject([
      {
        finding: {
          code: 12,
          cause: 'two lives',
          remedy: expect.stringContaining('enroll --resume') as string,
        },
      },
    ]);
    expect(checkStanding({ ...journal, diverged: { ...diverged, goesOn: true } })[0]?.is).toBe('well');
  });

  test('what stands is told with its code, its cause, and what to do about such a code', () => {
    for (const code of [10, 20, 21, 22, 30, 31, 40, 41, 52]) {
      const [found] = checkStanding({
        ...journal,
        standing: { ...standing, event: 'failed', code, cause: 'it' },
      });
      expect(found).toMatchObject({ is: 'not-well', finding: { code, cause: 'it', where: standing.head } });
      expect(JSON.stringify(found)).not.toContain('look at the log of the agent');
    }
    const trial: Standing = { ...standing, event: 'failed', code: 30, cause: 'the trial' };
    expect(checkStanding({ ...journal, trial })).toMatchObject([{ finding: { cause: 'the trial' } }]);
  });

  test('what somebody wanted is no illness', () => {
    for (const event of ['paused', 'retired'] as const)
      expect(checkStanding({ ...journal, standing: { ...standing, event, code: 10 } })[0]?.is).toBe('well');
    expect(checkStanding({ ...journal, standing: null })[0]?.is).toBe('unknown');
    const held = { ...standing, event: 'held', code: 10 } as const;
    const remedyOf = (heldByHand: boolean) => checkStanding({ ...journal, heldByHand, standing: held })[0];
    expect(remedyOf(true)).toMatchObject({ finding: { remedy: 'run `autark resume` once it may go on' } });
    expect(remedyOf(false)).toMatchObject({
      finding: { remedy: expect.stringContaining('approve the host') as unknown },
    });
  });

  test('an agent that does not run is named, with what it left unfinished', () => {
    expect(checkDaemon({ is: 'running', pid: 7 }, 'build', '/l')[0]?.is).toBe('well');
    expect(checkDaemon({ is: 'dead' }, 'switch', '/l')).toMatchObject([
      { finding: { code: 1, where: '/l', cause: 'the agent was killed, and left a switch unfinished' } },
    ]);
    expect(checkDaemon({ is: 'none' }, 'idle', '/l')).toMatchObject([
      { finding: { cause: 'no agent runs' } },
    ]);
    expect(checkDaemon({ is: 'hidden', why: 'EACCES' }, null, '/l')[0]?.is).toBe('unknown');
  });

  test('somebody else than the agent’s user is told to look as that user', () => {
    expect(checkUser({ own: 0, owner: 0 }, '/s')).toEqual([]);
    expect(checkUser({ own: 1000, owner: null }, '/s')).toEqual([]);
    expect(checkUser({ own: 1000, owner: 0 }, '/s')).toMatchObject([{ finding: { code: 2 } }]);
  });
});

test('a server that is reached must have the branch', () => {
  const facts = { name: 'remote', where: 'ssh://x/y', branch: 'main' };
  expect(checkRemote({ ...facts, seen: fail(failure) })).toMatchObject([
    { finding: { code: 50, cause: 'no way' } },
  ]);
  expect(checkRemote({ ...facts, seen: ok({ head: null }) })).toMatchObject([
    { finding: { code: 50, cause: expect.stringContaining('no branch main') as string } },
  ]);
  expect(checkRemote({ ...facts, seen: ok({ head: 'a'.repeat(40) }) })[0]?.is).toBe('well');
  expect(checkRemote({ ...facts, branch: null, seen: ok({ head: null }) })[0]?.is).toBe('well');
});

test('every check has a name that fits into its column', () => {
  const sources = ['host', 'clone'].map((name) =>
    readFileSync(join(import.meta.dirname, `../../../agent/cli/doctor-${name}.ts`), 'utf8'),
  );
  const names = sources.join('\n').matchAll(/look\('([^']+)'/g);
  for (const [, name = ''] of names) expect(lineOf(well(name, 'x'))).toMatch(/^.{6}.{15} {2}x$/);
});
