import { describe, expect, test } from 'vitest';
import { descends } from '../../../shared/trust/verdict.ts';
import { signWith } from '../../../shared/trust/sshsig.ts';
import { failureOf, valueOf } from '../../agent/adapters/scratch.ts';
import { fixture, keyOf, token } from './fixtures.ts';
import { allow, fleet, makeGraph, refusal, verdict } from './graph.ts';

describe('authentic is', () => {
  test('the introduction, whoever signed it', async () => {
    const graph = makeGraph();
    const introduction = graph.commit([], { by: null });
    expect(valueOf(await verdict({ ...graph, introduction }, introduction))).toMatchObject({ judged: [] });
  });

  test('what admins signed above it, one after the other', async () => {
    const graph = fleet('alice', 'bob');
    const one = graph.commit([graph.introduction], { by: 'alice', signers: allow('alice', 'bob') });
    const two = graph.commit([one], { by: 'bob', signers: allow('alice', 'bob') });
    expect(valueOf(await verdict(graph, two))).toMatchObject({ judged: [one, two] });
  });

  test('a merge by an admin of both sides', async () => {
    const graph = fleet('alice', 'bob');
    const side = graph.commit([graph.introduction], { signers: allow('alice', 'bob'), by: 'bob' });
    const main = graph.commit([graph.introduction]);
    const merge = graph.commit([main, side]);
    expect(valueOf(await verdict(graph, merge)).judged).toHaveLength(3);
  });

  test('what a hardware token signed, with a touch', async () => {
    const graph = makeGraph();
    const { line, sign } = token('alice');
    const signers = `alice ${line}\n`;
    const introduction = graph.commit([], { signers });
    const good = graph.commit([introduction], { signers, signature: (bytes) => sign('git', bytes) });
    expect((await verdict({ ...graph, introduction }, good)).ok).toBe(true);
    const untouched = graph.commit([introduction], { signers, signature: (bytes) => sign('git', bytes, 0) });
    const { rule, cause } = await refusal({ ...graph, introduction }, untouched);
    expect([rule, cause]).toEqual(['S3', expect.stringContaining('without a touch')]);
  });

  test('what a new admin signs above the commit that adds them, and not that commit itself', async () => {
    const graph = fleet('alice');
    const both = allow('alice', 'bob');
    const adds = graph.commit([graph.introduction], { signers: both });
    expect((await verdict(graph, graph.commit([adds], { signers: both, by: 'bob' }))).ok).toBe(true);
    const himself = graph.commit([graph.introduction], { signers: both, by: 'bob' });
    expect(await refusal(graph, himself)).toMatchObject({ rule: 'S1b', where: himself });
  });

  test('what is dated before the introduction, or in a far future: dates do not count', async () => {
    const graph = fleet('alice');
    const early = graph.commit([graph.introduction], { seconds: 0 });
    const late = graph.commit([early], { seconds: 99_999_999_999 });
    expect((await verdict(graph, graph.commit([late], { seconds: 1 }))).ok).toBe(true);
  });

  test('what was signed by a removed admin before the removal, also when an admin merges it later', async () => {
    const graph = fleet('alice', 'bob');
    const removal = graph.commit([graph.introduction], { signers: allow('alice') });
    const fork = graph.commit([graph.introduction], { signers: allow('alice', 'bob'), by: 'bob' });
    // By itself it is authentic; that it is no way forward is the floor's to say.
    expect((await verdict(graph, fork)).ok).toBe(true);
    const below = { head: fork, floors: [removal] };
    expect(failureOf(await descends(below, graph.history))).toMatchObject({ rule: 'S2' });
    expect((await verdict(graph, graph.commit([removal, fork]))).ok).toBe(true);
  });
});

describe('S3 refuses, with the commit', () => {
  test('what is not signed', async () => {
    const graph = fleet('alice');
    const head = graph.commit([graph.introduction], { by: null });
    expect(await refusal(graph, head)).toEqual({
      kind: 'not-authentic',
      rule: 'S3',
      cause: 'the commit is not signed',
      where: head,
      remedy:
        'a forge’s web page signs with no admin’s key: in a clone, `autark promote` signs what was merged there; ' +
        'for commits of your own run `autark join`, so that git signs, and sign again from this one on: ' +
        `\`git rebase --force-rebase --rebase-merges --gpg-sign ${graph.introduction}\`, ` +
        'and where it was pushed already `git push --force-with-lease`, for no host has accepted it',
    });
  });

  test('what is not signed below what is', async () => {
    const graph = fleet('alice');
    const unsigned = graph.commit([graph.introduction], { by: null });
    const head = graph.commit([graph.commit([unsigned])]);
    expect(await refusal(graph, head)).toMatchObject({ rule: 'S3', where: unsigned });
  });

  test.each<[string, (bytes: Uint8Array) => string, string]>([
    ['made for another namespace', (bytes) => signWith(keyOf('alice'), 'file', bytes), 'made for “file”'],
    ['of other bytes', () => signWith(keyOf('alice'), 'git', Buffer.from('x')), 'does not fit'],
    ['by OpenPGP', () => '-----BEGIN PGP SIGNATURE-----\n\niQ\n-----END PGP SIGNATURE-----\n', 'OpenPGP'],
    ['by X.509', () => '-----BEGIN SIGNED MESSAGE-----\nMII\n-----END SIGNED MESSAGE-----\n', 'X.509'],
    ['by an RSA key', () => fixture('ssh/message.rsa.sig'), 'keys of type ssh-rsa are not accepted'],
    ['that is garbage', () => 'x', 'unknown way'],
  ])('a signature %s', async (_, signature, cause) => {
    const graph = fleet('alice');
    const head = graph.commit([graph.introduction], { signature });
    expect(await refusal(graph, head)).toMatchObject({
      rule: 'S3',
      where: head,
      cause: expect.stringContaining(cause) as string,
    });
  });

  test('two signatures, both good', async () => {
    const graph = fleet('alice');
    const once = graph.objects.get(graph.commit([graph.introduction]))?.bytes ?? new Uint8Array();
    const text = Buffer.from(once).toString();
    const header = /^gpgsig (?:.*\n)(?: .*\n)*/m.exec(text)?.[0] ?? '';
    const head = graph.put('commit', Buffer.from(text.replace(header, () => header + header)));
    expect(await refusal(graph, head)).toMatchObject({
      kind: 'not-authentic',
      where: head,
      cause: 'the commit has two signatures',
    });
  });

  test('the signature of another commit', async () => {
    const graph = fleet('alice');
    const other = Buffer.from(graph.objects.get(graph.commit([graph.introduction]))?.bytes ?? []).toString();
    const head = graph.put('commit', Buffer.from(other.replace('commit 2\n', 'commit 3\n')));
    expect(await refusal(graph, head)).toMatchObject({ rule: 'S3', where: head });
  });
});

describe('S1 (b) refuses, with the commit', () => {
  test('the key of nobody', async () => {
    const graph = fleet('alice');
    const head = graph.commit([graph.introduction], { by: 'mallory' });
    const failure = await refusal(graph, head);
    expect(failure).toMatchObject({ rule: 'S1b', where: head });
    expect(failure.cause).toMatch(
      /^it is signed with SHA256:[A-Za-z0-9+/]{43}, which is not an admin’s key at/,
    );
  });

  test('a key that the commit itself brings', async () => {
    const graph = fleet('alice');
    const head = graph.commit([graph.introduction], { by: 'mallory', signers: allow('mallory') });
    expect(await refusal(graph, head)).toMatchObject({ rule: 'S1b', where: head });
  });

  test('the key of an admin removed earlier', async () => {
    const graph = fleet('alice', 'bob');
    const removal = graph.commit([graph.introduction], { signers: allow('alice') });
    const head = graph.commit([removal], { by: 'bob' });
    expect(await refusal(graph, head)).toMatchObject({ rule: 'S1b', where: head });
  });

  test('but not the commit by which somebody removes themselves', async () => {
    const graph = fleet('alice', 'bob');
    expect((await verdict(graph, graph.commit([graph.introduction], { by: 'bob' }))).ok).toBe(true);
  });

  test('a removed admin’s merge of their own old fork', async () => {
    const graph = fleet('alice', 'bob');
    const removal = graph.commit([graph.introduction], { signers: allow('alice') });
    const fork = graph.commit([graph.introduction], { signers: allow('alice', 'bob'), by: 'bob' });
    for (const parents of [
      [removal, fork],
      [fork, removal],
    ]) {
      const merge = graph.commit(parents, { by: 'bob', signers: allow('alice', 'bob') });
      const failure = await refusal(graph, merge);
      expect(failure).toMatchObject({ rule: 'S1b', where: merge });
      expect(failure.cause).toContain(`at its parent ${removal}`);
    }
  });

  test('a merge by an admin of one side only', async () => {
    const graph = fleet('alice', 'bob');
    const withoutBob = graph.commit([graph.introduction], { signers: allow('alice') });
    const withoutAlice = graph.commit([graph.introduction], { signers: allow('bob') });
    for (const by of ['alice', 'bob']) {
      const merge = graph.commit([withoutBob, withoutAlice], { by, signers: allow('alice', 'bob') });
      expect(await refusal(graph, merge)).toMatchObject({ rule: 'S1b', where: merge });
    }
  });

  test('also when everything above it is good', async () => {
    const graph = fleet('alice');
    const bad = graph.commit([graph.introduction], { by: 'mallory' });
    const side = graph.commit([graph.introduction]);
    const head = graph.commit([graph.commit([side, bad])]);
    expect(await refusal(graph, head)).toMatchObject({ rule: 'S1b', where: bad });
  });
});
