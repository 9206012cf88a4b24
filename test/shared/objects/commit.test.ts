import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  parseCommit,
  serialiseCommit,
  signedPayload,
  withSignature,
  type CommitFields,
} from '../../../shared/objects/commit.ts';
import { objectId } from '../../../shared/objects/object.ts';
import { chooseSeed, failureOf, seeded, valueOf } from '../../agent/adapters/scratch.ts';
import { mutate } from '../mutate.ts';

const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../../fixtures/git/${name}`, import.meta.url));
const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');

const tree = 'c49897f29f9819a0ab6850d7e22443508a1a29d5';
const parent = '60462d48e9f36b20cdbb94d8bdcbafc2af215ab4';
const who = 'A <a@b> 1 +0000';
/** A commit's text of which single lines can be replaced. */
const written = (lines: readonly string[], message = 'subject\n'): Uint8Array =>
  bytes(`${lines.join('\n')}\n\n${message}`);
const plain = [`tree ${tree}`, `parent ${parent}`, `author ${who}`, `committer ${who}`];
const fields: CommitFields = {
  tree,
  parents: [parent],
  author: { name: 'A', email: 'a@b', seconds: 1, zone: '+0000' },
  committer: { name: 'A', email: 'a@b', seconds: 1, zone: '+0000' },
  message: 'subject\n',
};

describe('a commit that git made', () => {
  test('reads as git shows it', () => {
    const content = fixture('signed-commit');
    expect(objectId({ type: 'commit', bytes: content })).toBe('36aad2f87ae9516f452d56416ed88404775af2ea');
    const commit = valueOf(parseCommit(content));
    expect(commit).toMatchObject({
      tree,
      parents: [],
      author: { name: 'Zoë Müller', email: 'zoe@example.org', seconds: 1_700_000_000, zone: '+0100' },
      committer: { name: 'Zoë Müller', email: 'zoe@example.org', seconds: 1_700_000_060, zone: '-0330' },
      message: 'Grüße\n\nbody\n',
    });
    expect(commit.gpgsig?.split('\n').at(0)).toBe('-----BEGIN SSH SIGNATURE-----');
    expect(commit.gpgsig?.endsWith('\n-----END SSH SIGNATURE-----\n')).toBe(true);
  });

  test('keeps its second signature, of a merged tag, out of the way', () => {
    const content = fixture('merge-with-mergetag');
    const commit = valueOf(parseCommit(content));
    expect(commit.parents).toHaveLength(2);
    expect(commit.message).toBe('merge v1\n');
    const payload = Buffer.from(signedPayload(content)).toString();
    expect(payload.match(/BEGIN SSH SIGNATURE/g)).toHaveLength(1);
    expect(payload).toContain('\nmergetag object 60462d4');
    expect(payload).not.toContain('gpgsig');
  });

  test.each(['signed-commit', 'merge-with-mergetag'])('comes apart and together again: %s', (name) => {
    const content = fixture(name);
    const signature = valueOf(parseCommit(content)).gpgsig ?? '';
    expect(Buffer.from(withSignature(signedPayload(content), signature))).toEqual(content);
  });
});

describe('serialising', () => {
  test('gives what git would write', () => {
    expect(Buffer.from(serialiseCommit(fields)).toString()).toBe(
      `tree ${tree}\nparent ${parent}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nsubject\n`,
    );
  });

  test('reads back, with letters beyond ASCII and a byte order mark', () => {
    const author = { name: 'Zoë 木', email: '', seconds: 0, zone: '-1200' };
    const given = { ...fields, parents: [], author, message: '\u{feff}Grüße 🌍\n\n\nend' };
    expect(valueOf(parseCommit(serialiseCommit(given)))).toEqual(given);
  });

  test('never lets a name or an e-mail end its field', () => {
    const author = { name: 'x> 1 +0000\ngpgsig y\0', email: 'a@b>\ncommitter <c', seconds: 1, zone: '+0000' };
    const commit = valueOf(parseCommit(serialiseCommit({ ...fields, author })));
    expect(commit.author).toEqual({ ...author, name: 'x 1 +0000gpgsig y', email: 'a@bcommitter c' });
    expect(commit.gpgsig).toBeUndefined();
  });

  test.each<[string, Partial<CommitFields>]>([
    ['a short id', { parents: ['60462d4'] }],
    ['a NUL in the message', { message: 'a\0b' }],
    ['half a second', { author: { ...fields.author, seconds: 0.5 } }],
    ['a time before 1970', { author: { ...fields.author, seconds: -1 } }],
    ['a zone by name', { author: { ...fields.author, zone: 'UTC' } }],
  ])('throws for %s', (_, wrong) => {
    expect(() => serialiseCommit({ ...fields, ...wrong })).toThrow(RangeError);
  });

  test('folds a signature with and without its last line end alike', () => {
    const payload = serialiseCommit(fields);
    expect(withSignature(payload, 'a\nb')).toEqual(withSignature(payload, 'a\nb\n'));
    expect(valueOf(parseCommit(withSignature(payload, 'a\nb'))).gpgsig).toBe('a\nb\n');
    expect(signedPayload(withSignature(payload, 'a\n\nb\n'))).toEqual(Buffer.from(payload));
  });
});

describe('the strict parser', () => {
  test('takes headers that git ignores, but not into the message', () => {
    const more = ['HG:extra branch:x', 'change-id zzz', 'encoding ISO-8859-1', 'x-long a', ' b', ' c'];
    const commit = valueOf(parseCommit(written([...plain, ...more])));
    expect(commit).toEqual({ ...fields, encoding: 'ISO-8859-1' });
  });

  test.each<[string, Uint8Array, string]>([
    ['no tree', written(plain.slice(1)), 'does not begin with its tree'],
    ['only a tree', written(plain.slice(0, 1)), 'no author'],
    ['two trees', written([`tree ${tree}`, ...plain]), 'no author after'],
    ['a tree later', written([...plain, `tree ${tree}`]), 'repeats its tree'],
    ['a parent after the author', written([...plain, `parent ${parent}`]), 'repeats its parent'],
    [
      'a parent between author and committer',
      written([...plain.slice(0, 3), `parent ${parent}`, `committer ${who}`]),
      'no committer',
    ],
    ['two authors', written([...plain.slice(0, 3), ...plain.slice(2)]), 'no committer'],
    ['another committer', written([...plain, `Committer ${who}`]), 'repeats its Committer'],
    [
      'an abbreviated parent',
      written([`tree ${tree}`, 'parent 60462d4', ...plain.slice(2)]),
      'not an object id',
    ],
    ['capital digits', written([`tree ${tree.toUpperCase()}`, ...plain.slice(1)]), 'not an object id'],
    ['a SHA-256 id', written([`tree ${tree}${tree.slice(0, 24)}`, ...plain.slice(1)]), 'not an object id'],
    ['two signatures', written([...plain, 'gpgsig a', 'gpgsig b']), 'two signatures'],
    ['the same signature twice', written([...plain, 'gpgsig a', 'gpgsig a']), 'two signatures'],
    ['a signature for SHA-256', written([...plain, 'gpgsig a', 'gpgsig-sha256 b']), 'gpgsig-sha256 header'],
    ['a signature in other letters', written([...plain, 'GPGSIG a']), 'GPGSIG header'],
    ['two encodings', written([...plain, 'encoding a', 'encoding b']), 'two encodings'],
    [
      'a continued author',
      written([...plain.slice(0, 3), ' x', `committer ${who}`]),
      'author is not of the form',
    ],
    ['a line without a name', written([' x', ...plain]), 'malformed header line'],
    ['a header without a value', written([...plain, 'gpgsig']), 'malformed header line'],
    ['a carriage return', written(plain.map((line) => `${line}\r`)), 'not an object id'],
    ['no blank line', bytes(`${plain.join('\n')}\n`), 'no blank line'],
    ['nothing', bytes(''), 'no blank line'],
    ['a NUL in the message', written(plain, 'good\0bad'), 'NUL'],
    ['a NUL in a header', written([...plain, 'x a\0b']), 'NUL'],
    ['Latin-1', Buffer.concat([written(plain, 'Gr'), Buffer.from('fcdf', 'hex')]), 'not written in UTF-8'],
    ['a surrogate', Buffer.concat([written(plain), Buffer.from('eda080', 'hex')]), 'not written in UTF-8'],
    ['no e-mail', written([...plain.slice(0, 2), 'author A 1 +0000', plain[3] ?? '']), 'author is not'],
    [
      'a missing space',
      written([...plain.slice(0, 2), 'author A<a@b> 1 +0000', plain[3] ?? '']),
      'author is not',
    ],
    ['a padded date', written([...plain.slice(0, 3), 'committer A <a@b> 01 +0000']), 'committer is not'],
    ['a date before 1970', written([...plain.slice(0, 3), 'committer A <a@b> -1 +0000']), 'committer is not'],
    [
      'a date out of range',
      written([...plain.slice(0, 3), `committer A <a@b> ${'9'.repeat(17)} +0000`]),
      'date out of range',
    ],
    ['a zone by name', written([...plain.slice(0, 3), 'committer A <a@b> 1 UTC']), 'committer is not'],
    [
      'brackets in the e-mail',
      written([...plain.slice(0, 3), 'committer A <a<b> 1 +0000']),
      'committer is not',
    ],
  ])('refuses %s', (_, content, reason) => {
    expect(failureOf(parseCommit(content))).toContain(reason);
  });

  test('never throws, and what it takes is what was written', () => {
    const seed = chooseSeed();
    const random = seeded(seed);
    let taken = 0;
    for (let round = 0; round < 3000; round += 1) {
      const content = mutate(fixture(round % 2 === 0 ? 'signed-commit' : 'merge-with-mergetag'), random);
      const commit = parseCommit(content);
      if (!commit.ok) continue;
      taken += 1;
      const { gpgsig, ...rest } = commit.value;
      const again = valueOf(parseCommit(signedPayload(content)));
      expect(again, `seed ${seed}`).toEqual(rest);
      if (gpgsig === undefined) continue;
      const signed = valueOf(parseCommit(withSignature(signedPayload(content), gpgsig)));
      expect(signed, `seed ${seed}`).toEqual(commit.value);
    }
    expect(taken, `seed ${seed}`).toBeGreaterThan(100);
  });
});
