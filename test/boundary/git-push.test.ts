import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writePack } from '../../agent/adapters/git/pack.ts';
import type { RefUpdate } from '../../agent/git-ports.ts';
import { type GitObject, objectId } from '../../shared/objects/object.ts';
import { failureOf, valueOf } from '../agent/adapters/scratch.ts';
import { bounds, gitRig, type GitRig } from './git-rig.ts';

const ref = 'refs/heads/state/web1';

/** A commit of the empty tree, as the outbox would keep it. */
function record(text: string, parents: readonly string[] = []): { id: string; pack: Uint8Array } {
  const tree: GitObject = { type: 'tree', bytes: new Uint8Array() };
  const lines = [
    `tree ${objectId(tree)}`,
    ...parents.map((parent) => `parent ${parent}`),
    'author web1 <web1@fleet> 1767225600 +0000',
    'committer web1 <web1@fleet> 1767225600 +0000',
    '',
    text,
  ];
  const commit: GitObject = { type: 'commit', bytes: Buffer.from(`${lines.join('\n')}\n`) };
  return { id: objectId(commit), pack: writePack([commit, tree]) };
}

async function pushed(rig: GitRig, ...updates: RefUpdate[]) {
  return rig.git.push(updates, bounds());
}

test('a stored record is pushed where nothing was, moved, and deleted', async () => {
  const rig = gitRig();
  const [one, two] = [record('one'), record('two')];
  valueOf(await rig.git.store(one.pack));
  valueOf(await rig.git.store(two.pack));
  valueOf(await pushed(rig, { ref, to: one.id, expected: null }));
  expect(rig.at(['rev-parse', ref])).toBe(one.id);
  // Not a descendant: compare-and-swap is all that is asked for.
  valueOf(await pushed(rig, { ref, to: two.id, expected: one.id }));
  expect(valueOf(await rig.git.fetchState(bounds()))).toEqual({ id: two.id, isRefused: false });
  valueOf(await pushed(rig, { ref, to: null, expected: two.id }));
  expect(valueOf(await rig.git.fetchState(bounds()))).toBeNull();
});

test('a branch that is not where it was expected stays where it is', async () => {
  const rig = gitRig();
  const theirs = rig.commit('state/web1', 'theirs');
  const mine = record('mine');
  valueOf(await rig.git.store(mine.pack));
  for (const update of [
    { ref, to: mine.id, expected: null },
    { ref, to: mine.id, expected: mine.id },
    { ref, to: null, expected: mine.id },
  ]) {
    expect(failureOf(await pushed(rig, update))).toMatchObject({
      kind: 'push-refused',
      cause: 'refs/heads/state/web1 on the server is not where it was expected',
      where: rig.remote,
    });
  }
  expect(rig.at(['rev-parse', ref])).toBe(theirs);
});

test('a push that was already done is done', async () => {
  const rig = gitRig();
  const one = record('one');
  valueOf(await rig.git.store(one.pack));
  valueOf(await pushed(rig, { ref, to: one.id, expected: null }));
  valueOf(await pushed(rig, { ref, to: one.id, expected: null }));
});

test("a server's refusal is told in its own words, and of several updates the first counts", async () => {
  const rig = gitRig();
  const hook = join(rig.remote, 'hooks', 'update');
  writeFileSync(
    hook,
    '#!/bin/sh\ncase $1 in *web1) printf "\\033[31mnot you\\033[0m: https://u:secret@example.org/\\n"; exit 1;; esac\n',
  );
  chmodSync(hook, 0o755);
  const one = record('one');
  valueOf(await rig.git.store(one.pack));
  const other = 'refs/heads/enroll/web1/0123456789abcdef';
  const failure = failureOf(
    await pushed(rig, { ref: other, to: one.id, expected: null }, { ref, to: one.id, expected: null }),
  );
  expect(failure).toMatchObject({
    kind: 'push-refused',
    cause: 'the server refused to change refs/heads/state/web1: hook declined: not you: https://example.org/',
  });
  expect(JSON.stringify(failure)).not.toMatch(/secret|\u001b/);
  expect(rig.at(['rev-parse', other])).toBe(one.id);
  expect(rig.at(['for-each-ref', ref])).toBe('');
});

test('a remote that is away is no refusal', async () => {
  const rig = gitRig();
  const away = rig.open({ remote: join(rig.folder, 'none') });
  const failure = failureOf(await away.push([{ ref, to: record('one').id, expected: null }], bounds()));
  expect(failure.kind).toBe('unreachable');
});

test('an object that is not there is named', async () => {
  const rig = gitRig();
  const { id } = record('one');
  const failure = failureOf(await pushed(rig, { ref, to: id, expected: null }));
  expect(failure.cause).toContain(`bad object ${id}`);
});

test('a pack that is damaged is not stored', async () => {
  const rig = gitRig();
  const { pack } = record('one');
  const damaged = Buffer.from(pack);
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
  expect(failureOf(await rig.git.store(damaged)).kind).toBe('unexpected');
  expect(failureOf(await rig.git.store(new Uint8Array())).kind).toBe('unexpected');
});
