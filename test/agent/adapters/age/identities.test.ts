import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { hostOpener, identitiesIn } from '../../../../agent/adapters/age/identities.ts';
import { openerFor } from '../../../../agent/adapters/age/opener.ts';
import { ageSealer } from '../../../../agent/adapters/age/sealer.ts';
import { fixture } from '../../../shared/trust/fixtures.ts';
import { failureOf, scratch, valueOf } from '../scratch.ts';
import { fileOf, keysOf, makePair, unasked } from './keys.ts';

async function sealedTo(...recipients: readonly string[]): Promise<Buffer> {
  return Buffer.from(valueOf(await ageSealer().seal(Buffer.from('value'), recipients)));
}

async function opens(text: string, sealed: Uint8Array): Promise<boolean> {
  return (await openerFor(await keysOf(text)).open(sealed, 'x.age')).ok;
}

describe('a key file', () => {
  test('of age may have comments, blank lines, several keys, and the line ends of Windows', async () => {
    const [one, other, third] = [
      await makePair('x25519'),
      await makePair('hybrid'),
      await makePair('x25519'),
    ];
    const file = `# created: today\r\n\r\n${one.file}\r\n  # another\n${other.file}`;
    expect(await keysOf(file)).toHaveLength(2);
    expect(await opens(file, await sealedTo(one.recipient))).toBe(true);
    expect(await opens(file, await sealedTo(other.recipient))).toBe(true);
    expect(await opens(file, await sealedTo(third.recipient))).toBe(false);
  });

  test('of SSH may have the line ends of Windows', async () => {
    const { recipient, file } = await makePair('ssh');
    expect(await opens(file.replaceAll('\n', '\r\n'), await sealedTo(recipient))).toBe(true);
  });

  const good = 'AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0';
  test.each<[string, string, RegExp]>([
    ['a public SSH key', fixture('ssh/alice.pub'), /is a public key; name the private one/],
    ['a public key of age', 'age1ql3z7hjy54pw3hyww5ayyfgqqqqqqqqq\n', /public key/],
    [
      'a PEM file of RSA',
      '-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n',
      /ssh-rsa/,
    ],
    ['a PEM file of EC', '-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n', /type ec/],
    ['PKCS #8', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', /ssh-keygen -t ed25519/],
    ['a plugin', 'AGE-PLUGIN-YUBIKEY-1QQQQ\n', /plugin of age/],
    ['a damaged key', `${good.slice(0, -1)}1\n`, /checksum or its length/],
    ['a key in small letters', good.toLowerCase(), /no private key/],
    ['an empty file', '\n# nothing\n', /no private key in the file/],
    ['any text', 'secret: hunter2\n', /no private key/],
    ['a sealed identity file', 'age-encryption.org/v1\n-> scrypt AAAA 18\n', /is sealed itself/],
    ['the same with armour', '-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n', /is sealed itself/],
  ])('that is %s is explained, and not shown', async (_what, text, says) => {
    const file = await fileOf(text);
    const failure = failureOf(await identitiesIn(file, unasked));
    expect(failure.kind).toBe('secret-unopened');
    expect(failure.cause).toMatch(says);
    expect(failure.where).toContain(file);
    const said = JSON.stringify(failure);
    expect(said).not.toMatch(/hunter2|EGTZVFFV/i);
  });

  test('that is missing, or a folder, is named', async () => {
    const folder = join(scratch(), 'keys');
    await mkdir(folder);
    for (const file of [folder, join(folder, 'none')]) {
      expect(failureOf(await identitiesIn(file, unasked))).toMatchObject({
        kind: 'secret-unopened',
        where: file,
      });
    }
  });

  test('with a bad line says which', async () => {
    const file = await fileOf(`# one\n${good}\nAGE-SECRET-KEY-1QQ\n`);
    expect(failureOf(await identitiesIn(file, unasked)).where).toBe(`${file}:3`);
  });
});

describe('a key with a passphrase', () => {
  const locked = fixture('ssh/locked');
  const lockedPublic = `ssh-ed25519 ${blobOf(locked)}`;

  function asker(...answers: readonly string[]) {
    const questions: string[] = [];
    const rest = [...answers];
    const ask = (question: string): Promise<string> => {
      questions.push(question);
      return Promise.resolve(rest.shift() ?? '');
    };
    return { questions, ask };
  }

  test('is not asked for when nothing is sealed to it', async () => {
    const keys = await keysOf(locked, unasked);
    const sealed = await sealedTo((await makePair('ssh')).recipient, (await makePair('x25519')).recipient);
    expect(failureOf(await openerFor(keys).open(sealed, 'x.age')).cause).toMatch(/2 other keys/);
  });

  test('three wrong answers are enough, also for the next file', async () => {
    const { questions, ask } = asker('one', 'two', 'three', 'four');
    const opener = openerFor(await keysOf(locked, ask));
    const sealed = await sealedTo(lockedPublic);
    for (const where of ['a.age', 'b.age']) {
      const failure = failureOf(await opener.open(sealed, where));
      expect(failure.cause).toMatch(/passphrase was wrong 3 times/);
      expect(JSON.stringify(failure)).not.toMatch(/three/);
    }
    expect(questions).toHaveLength(3);
    expect(questions[0]).toMatch(/^Passphrase for \/.*:$/);
    expect(questions[1]).toMatch(/^That was not it\./);
  });

  test('what goes wrong with the asking itself is no fault of the file', async () => {
    const opener = openerFor(await keysOf(locked, unasked));
    await expect(opener.open(await sealedTo(lockedPublic), 'a.age')).rejects.toThrow(/^asked: Passphrase/);
  });

  test('no answer ends the asking', async () => {
    const { questions, ask } = asker();
    const opener = openerFor(await keysOf(locked, ask));
    expect(failureOf(await opener.open(await sealedTo(lockedPublic), 'a.age')).cause).toMatch(
      /none was given/,
    );
    expect(questions).toHaveLength(1);
  });

  test('another key opens what the locked one could, where nobody answers', async () => {
    const other = await makePair('x25519');
    const keys = [...(await keysOf(locked, asker().ask)), ...(await keysOf(other.file))];
    const sealed = await sealedTo(lockedPublic, other.recipient);
    expect((await openerFor(keys).open(sealed, 'a.age')).ok).toBe(true);
  });

  test('is asked for where an age1… may be made of it: nothing else can tell', async () => {
    const { questions, ask } = asker();
    const sealed = await sealedTo((await makePair('x25519')).recipient);
    expect((await openerFor(await keysOf(locked, ask)).open(sealed, 'a.age')).ok).toBe(false);
    expect(questions).toHaveLength(1);
  });
});

describe('the key of a host', () => {
  test('opens what is sealed to it', async () => {
    const { recipient, file } = await makePair('ssh');
    const opener = valueOf(await hostOpener(await fileOf(file)));
    expect((await opener.open(await sealedTo(recipient), 'x.age')).ok).toBe(true);
  });

  test('is refused with a passphrase, open to others, missing, or as a key of age', async () => {
    const { file } = await makePair('ssh');
    const cases: readonly [path: string, says: RegExp][] = [
      [await fileOf(fixture('ssh/locked')), /passphrase/],
      [await fileOf(file, 0o644), /open to other users/],
      [join(scratch(), 'none'), /no host key/],
      [await fileOf((await makePair('x25519')).file), /OpenSSH/],
    ];
    for (const [path, says] of cases) {
      expect(failureOf(await hostOpener(path))).toMatchObject({
        kind: 'agent-config',
        where: path,
        cause: expect.stringMatching(says) as unknown,
      });
    }
  });
});

/** The public half of a private key file: PROTOCOL.key has it in the clear, from byte 83 on for this cipher and KDF. */
function blobOf(file: string): string {
  const bytes = Buffer.from(file.split('\n').slice(1, -2).join(''), 'base64');
  const at = bytes.indexOf(Buffer.from('0000000b', 'hex').toString('latin1') + 'ssh-ed25519', 0, 'latin1');
  return bytes.subarray(at, at + 51).toString('base64');
}
