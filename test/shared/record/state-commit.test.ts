import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { parseCommit, signedPayload } from '../../../shared/objects/commit.ts';
import type { GitObject } from '../../../shared/objects/object.ts';
import { composeStateCommit, type Place } from '../../../shared/record/state-commit.ts';
import { formatPrivateKey, parsePrivateKey } from '../../../shared/trust/ssh-key.ts';
import { parseSshSig, signWith, verifySshSig } from '../../../shared/trust/sshsig.ts';
import { parsePublicKey } from '../../../shared/trust/ssh-key.ts';
import { valueOf } from '../../agent/adapters/scratch.ts';
import { around, deployed, draft, revision } from './drafts.ts';

const key = valueOf(parsePrivateKey(formatPrivateKey(Buffer.alloc(32, 7), 'host', 1)));
const sign = (payload: Uint8Array): string => signWith(key, 'git', payload);
const genesis = 'a'.repeat(40);
const previous = 'b'.repeat(40);
const place: Place = { genesis, previous, withRevision: true };
const compose = (of = draft(), at: Partial<Place> = {}) => composeStateCommit(of, { ...place, ...at }, sign);

function commitOf(objects: readonly GitObject[]) {
  const found = objects.find(({ type }) => type === 'commit');
  if (found === undefined) throw new Error('no commit among the objects');
  return { bytes: found.bytes, ...valueOf(parseCommit(found.bytes)) };
}

/** The id that git itself gives these bytes, after looking whether they are what they should be. */
function gitId({ type, bytes }: GitObject): string {
  const { stdout, stderr } = spawnSync('git', ['hash-object', '-t', type, '--stdin'], {
    input: bytes,
    cwd: '/',
  });
  expect(stderr.toString()).toBe('');
  return stdout.toString().trim();
}

test('git takes each object, under the ids by which they name each other', () => {
  const { id, objects } = compose();
  const [blob, tree, commit] = objects;
  if (blob === undefined || tree === undefined || commit === undefined)
    throw new Error('objects are missing');
  expect(objects.map(({ type }) => type)).toEqual(['blob', 'tree', 'commit']);
  expect(gitId(commit)).toBe(id);
  expect(commitOf(objects).tree).toBe(gitId(tree));
  expect(Buffer.from(tree.bytes).toString('latin1')).toBe(
    `100644 status.json\0${Buffer.from(gitId(blob), 'hex').toString('latin1')}`,
  );
  expect(JSON.parse(Buffer.from(blob.bytes).toString())).toEqual(draft().status);
});

test('the same draft at the same place gives the same bytes', () => {
  expect(compose(structuredClone(draft()))).toEqual(compose());
  expect(compose(draft(), { previous: genesis }).id).not.toBe(compose().id);
});

test('it is signed for namespace git over all the rest', () => {
  const commit = commitOf(compose().objects);
  const signature = valueOf(parseSshSig(commit.gpgsig ?? ''));
  const publicKey = valueOf(parsePublicKey(signature.publicKey.line));
  expect(verifySshSig(signature, 'git', signedPayload(commit.bytes), publicKey).ok).toBe(true);
});

describe('parents', () => {
  const held = draft({ ...deployed, event: 'held' });
  test.each([
    ['a deployment: the record before and the revision', draft(), {}, [previous, revision]],
    ['no deployment: the record before', held, {}, [previous]],
    ['a deployment with stateRemote: the record before', draft(), { withRevision: false }, [previous]],
    ['the genesis: none', held, { genesis: null, previous: null }, []],
  ])('%s', (_what, of, at, parents) => {
    expect(commitOf(compose(of, at).objects).parents).toEqual(parents);
  });
});

test('author and committer are the host', () => {
  const { author, committer } = commitOf(compose().objects);
  const seconds = Math.floor(around.now / 1000);
  expect(author).toEqual({ name: 'web1', email: 'web1@fleet', seconds, zone: '+0000' });
  expect(committer).toEqual(author);
});

test.each([
  [-1e12, 0],
  [-1, 0],
  [0, 0],
  [999, 0],
  [1000, 1],
  [4_294_967_296_000, 4_294_967_296],
])('a clock at %d ms gives a commit of second %d that git takes', (now, seconds) => {
  const { id, objects } = compose(draft(deployed, { now }));
  expect(commitOf(objects).author.seconds).toBe(seconds);
  expect(gitId(objects.at(-1) as GitObject)).toBe(id);
});
