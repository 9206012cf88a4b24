import { Encrypter } from 'age-encryption';
import { describe, expect, test } from 'vitest';
import { openerFor } from '../../../../agent/adapters/age/opener.ts';
import { ageSealer } from '../../../../agent/adapters/age/sealer.ts';
import { sentence } from '../../../../shared/failure.ts';
import { mutate } from '../../../shared/mutate.ts';
import { chooseSeed, failureOf, seeded, valueOf } from '../scratch.ts';
import { kinds, keysOf, makePair, type Kind } from './keys.ts';

const where = 'secrets/db-password.age';
const value = Buffer.from('correct horse battery staple');

async function sealedTo(...recipients: readonly string[]) {
  const armoured = Buffer.from(valueOf(await ageSealer().seal(value, recipients)));
  const lines = armoured.toString().split('\n').slice(1, -2);
  return { armoured, binary: Buffer.from(lines.join(''), 'base64') };
}

async function mine(kind: Kind) {
  const pair = await makePair(kind);
  return { ...pair, opener: openerFor(await keysOf(pair.file)) };
}

/** A failure that keeps the value to itself. */
function whyNot(opened: Parameters<typeof failureOf>[0], sealed: Uint8Array): string {
  const failure = failureOf(opened) as Parameters<typeof sentence>[0];
  expect(failure).toMatchObject({ kind: 'secret-unopened', where });
  const said = JSON.stringify(failure);
  expect(said).not.toContain('horse');
  expect(said).not.toContain(Buffer.from(sealed).toString('base64').slice(-20));
  return failure.cause;
}

describe.each(kinds)('a file for a key of kind %s', (kind) => {
  test('is not opened once any single byte of it is another', async () => {
    const seed = chooseSeed();
    const random = seeded(seed);
    const { recipient, opener } = await mine(kind);
    const { binary } = await sealedTo(recipient, (await makePair('x25519')).recipient);
    expect(Buffer.compare(valueOf(await opener.open(binary, where)), value)).toBe(0);
    for (const at of binary.keys()) {
      // A post-quantum header has very many bytes, all of one sort.
      if (kind === 'hybrid' && at % 11 !== 0) continue;
      const changed = Buffer.from(binary);
      changed[at] = (changed[at] ?? 0) ^ (1 + Math.floor(random() * 255));
      const opened = await opener.open(changed, where);
      expect(whyNot(opened, binary), `seed ${seed}, byte ${at}`).toMatch(
        /changed|cut short|not an age file|other key|version|more than|passphrase/,
      );
    }
  });

  test('is not opened when any of its end is missing', async () => {
    const { recipient, opener } = await mine(kind);
    const { binary } = await sealedTo(recipient);
    for (let length = 0; length < binary.length; length += kind === 'hybrid' ? 13 : 1) {
      const cause = whyNot(await opener.open(binary.subarray(0, length), where), binary);
      expect(cause, `${length} bytes`).toMatch(length < 22 ? /not an age file/ : /cut short/);
    }
  });

  test('damaged in any way it opens as what it was, or not at all', async () => {
    const seed = chooseSeed();
    const random = seeded(seed);
    const { recipient, opener } = await mine(kind);
    const { binary, armoured } = await sealedTo(recipient);
    for (let round = 0; round < 150; round += 1) {
      const damaged = mutate(round % 2 === 0 ? binary : armoured, random);
      const opened = await opener.open(damaged, where);
      if (opened.ok) expect(Buffer.compare(opened.value, value), `seed ${seed}, round ${round}`).toBe(0);
      else whyNot(opened, binary);
    }
  });
});

describe('what cannot be opened says why', () => {
  test('no age file at all, an empty one, and another version', async () => {
    const { opener } = await mine('ssh');
    for (const text of ['', 'hello\n', '-----BEGIN PGP MESSAGE-----\n', 'age-encryption.org\n']) {
      expect(whyNot(await opener.open(Buffer.from(text), where), value)).toBe('it is not an age file');
    }
    const later = Buffer.from('age-encryption.org/v2\n-> X25519 x\n');
    expect(whyNot(await opener.open(later, where), value)).toMatch(/version v2/);
  });

  test('armour without its last line is cut short; with a damaged line it is changed', async () => {
    const { recipient, opener } = await mine('ssh');
    const { armoured } = await sealedTo(recipient);
    const text = armoured.toString();
    for (const end of [text.indexOf('\n') + 30, text.length - 40, text.length - 5]) {
      expect(whyNot(await opener.open(armoured.subarray(0, end), where), value)).toBe(
        'the file is cut short',
      );
    }
    const odd = Buffer.from(text.replace(/\n(.)(.)/, '\n$1?'));
    expect(whyNot(await opener.open(odd, where), value)).toMatch(/changed/);
  });

  test('a passphrase instead of keys', async () => {
    const encrypter = new Encrypter();
    encrypter.setScryptWorkFactor(2);
    encrypter.setPassphrase('open sesame');
    const { opener } = await mine('ssh');
    expect(whyNot(await opener.open(await encrypter.encrypt(value), where), value)).toMatch(
      /with a passphrase/,
    );
  });

  test('other keys, by their number and kind', async () => {
    const { opener } = await mine('ssh');
    const recipients = await Promise.all((['ssh', 'ssh', 'x25519', 'hybrid'] as const).map(makePair));
    const { armoured } = await sealedTo(...recipients.map(({ recipient }) => recipient));
    expect(whyNot(await opener.open(armoured, where), value)).toBe(
      'it is sealed to 4 other keys (2 ssh-ed25519, 1 age1…, 1 age1pq1…)',
    );
    const [first] = recipients;
    const failure = failureOf(await opener.open((await sealedTo(first?.recipient ?? '')).armoured, where));
    expect(sentence(failure)).toMatch(/^it is sealed to another key .*autark rekey/);
  });

  test('stanzas of types that nobody here knows', async () => {
    const { opener } = await mine('x25519');
    const { binary } = await sealedTo((await makePair('x25519')).recipient);
    const text = binary.toString('latin1').replace(/-> X25519 \S+/, '-> piv-p256 AAAA BBBB');
    expect(whyNot(await opener.open(Buffer.from(text, 'latin1'), where), value)).toBe(
      'it is sealed to another key (1 age1yubikey1…)',
    );
  });

  test('thousands of stanzas, before a key is tried on each', async () => {
    const { recipient, opener } = await mine('x25519');
    const { binary } = await sealedTo(recipient);
    const text = binary.toString('latin1');
    const [stanza = ''] = /-> X25519 \S+\n\S+\n/.exec(text) ?? [];
    const many = Buffer.from(text.replace(stanza, stanza.repeat(5000)), 'latin1');
    expect(whyNot(await opener.open(many, where), value)).toMatch(/sealed to 5000 keys/);
  });
});

describe('what opens', () => {
  test('armour with the line ends of Windows, and blank lines around it', async () => {
    const { recipient, opener } = await mine('ssh');
    const { armoured } = await sealedTo(recipient);
    const windows = Buffer.from(`\r\n${armoured.toString().replaceAll('\n', '\r\n')}\r\n\r\n`);
    expect(Buffer.compare(valueOf(await opener.open(windows, where)), value)).toBe(0);
  });

  test('with the second of two keys, where the first is for nothing in it', async () => {
    const pairs = await Promise.all([makePair('ssh'), makePair('hybrid'), makePair('x25519')]);
    const keys = (await Promise.all(pairs.map(({ file }) => keysOf(file)))).flat();
    for (const { recipient } of pairs) {
      const { armoured } = await sealedTo(recipient);
      expect(Buffer.compare(valueOf(await openerFor(keys).open(armoured, where)), value)).toBe(0);
    }
  });

  test('nothing, without a key', async () => {
    const { armoured } = await sealedTo((await makePair('ssh')).recipient);
    expect(whyNot(await openerFor([]).open(armoured, where), value)).toMatch(/sealed to another key/);
  });
});
