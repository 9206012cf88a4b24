import { createHash, createPublicKey, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parsePrivateKey, parsePublicKey } from '../../../shared/trust/ssh-key.ts';
import { armour, parseSshSig, signatureInput, signWith, verifySshSig } from '../../../shared/trust/sshsig.ts';
import { chooseSeed, failureOf, seeded, valueOf } from '../../agent/adapters/scratch.ts';
import { mutate } from '../mutate.ts';
import { fixture, keyOf, string, token } from './fixtures.ts';

const message = Buffer.from(fixture('ssh/message'));
const alice = valueOf(parsePublicKey(fixture('ssh/alice.pub')));

/** All that happens to a signature, as one result. */
function check(text: string, namespace = 'file', content: Uint8Array = message, key = { blob: alice.blob }) {
  const sig = parseSshSig(text);
  return sig.ok ? verifySshSig(sig.value, namespace, content, key) : sig;
}

describe('a signature of ssh-keygen', () => {
  test.each(['sha512', 'sha256'])('is good: %s', (hash) => {
    expect(check(fixture(`ssh/message.${hash}.sig`))).toEqual({ ok: true, value: undefined });
  });

  test('is what we would have written, byte for byte', () => {
    const key = valueOf(parsePrivateKey(fixture('ssh/alice')));
    expect(signWith(key, 'file', message)).toBe(fixture('ssh/message.sha512.sig'));
  });

  test('names its key, namespace and hash', () => {
    const sig = valueOf(parseSshSig(fixture('ssh/message.sha256.sig')));
    expect(sig).toMatchObject({ publicKey: { line: alice.line }, namespace: 'file', hash: 'sha256' });
    expect(sig.token).toBeUndefined();
  });

  test('is good for nothing else', () => {
    const text = fixture('ssh/message.sha512.sig');
    expect(failureOf(check(text, 'git'))).toBe('the signature was made for “file”, not for “git”');
    expect(failureOf(check(text, 'file', Buffer.from('another message')))).toContain('does not fit');
    expect(failureOf(check(text, 'file', message, { blob: keyOf('bob').publicBlob }))).toContain(
      'another key',
    );
  });

  test('of an RSA key is refused with what to use', () => {
    expect(failureOf(parseSshSig(fixture('ssh/message.rsa.sig')))).toContain('use ssh-ed25519');
  });
});

test('what is signed is what PROTOCOL.sshsig says', () => {
  const digest = createHash('sha512').update(message).digest();
  const parts = [Buffer.from('SSHSIG'), string('git'), string(''), string('sha512'), string(digest)];
  expect(Buffer.from(signatureInput('git', message))).toEqual(Buffer.concat(parts));
});

test('the example of PROTOCOL.sshsig reads', () => {
  const text = `-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgJKxoLBJBivUPNTUJUSslQTt2hD
jozKvHarKeN8uYFqgAAAADZm9vAAAAAAAAAFMAAAALc3NoLWVkMjU1MTkAAABAKNC4IEbt
Tq0Fb56xhtuE1/lK9H9RZJfON4o6hE9R4ZGFX98gy0+fFJ/1d2/RxnZky0Y7GojwrZkrHT
FgCqVWAQ==
-----END SSH SIGNATURE-----
`;
  // It was made before the format had a field for the hash: read strictly, it is not one.
  expect(failureOf(parseSshSig(text))).toContain('malformed');
});

describe('signing', () => {
  test('is deterministic, and Node’s own Ed25519 agrees', () => {
    const key = keyOf('bob');
    const text = signWith(key, 'git', message);
    expect(signWith(key, 'git', message)).toBe(text);
    const sig = valueOf(parseSshSig(text));
    const x = Buffer.from(key.publicBlob.subarray(-32)).toString('base64url');
    const jwk = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    expect(verify(null, signatureInput('git', message), jwk, sig.raw)).toBe(true);
  });

  test('has lines of 70 characters at most, and a line end after the last', () => {
    const lines = signWith(keyOf('bob'), 'git', message).split('\n');
    expect(lines.at(-1)).toBe('');
    expect(Math.max(...lines.map((line) => line.length))).toBe(70);
  });
});

describe('a hardware token', () => {
  const { blob, line, sign } = token('alice');
  const key = valueOf(parsePublicKey(line));

  test.each([0x01, 0x05])('signs with a touch, with and without a PIN: flags %i', (flags) => {
    expect(check(sign('git', message, flags), 'git', message, key).ok).toBe(true);
  });

  test('does not sign without a touch', () => {
    expect(failureOf(check(sign('git', message, 0x00), 'git', message, key))).toContain('without a touch');
    expect(failureOf(check(sign('git', message, 0x04), 'git', message, key))).toContain('without a touch');
  });

  test('does not sign without a touch when the flag is put in afterwards', () => {
    expect(failureOf(check(sign('git', message, 0x00, 0x01), 'git', message, key))).toContain('does not fit');
  });

  test('is another signer than the same key without a token', () => {
    const plain = valueOf(parseSshSig(signWith(keyOf('alice'), 'git', message)));
    expect(failureOf(verifySshSig(plain, 'git', message, key))).toContain('another key');
    // The raw signature moved under the token's key.
    const moved = armour(
      blob,
      'git',
      Buffer.concat([string(key.type), string(plain.raw), Buffer.of(1, 0, 0, 0, 1)]),
    );
    expect(failureOf(check(moved, 'git', message, key))).toContain('does not fit');
    const kept = armour(blob, 'git', Buffer.concat([string('ssh-ed25519'), string(plain.raw)]));
    expect(failureOf(check(kept, 'git', message, key))).toContain('malformed');
  });

  test('whose application differs is another signer', () => {
    expect(failureOf(check(token('alice', 'ssh:work').sign('git', message), 'git', message, key))).toContain(
      'another key',
    );
  });
});

describe('the strict parser', () => {
  const raw = valueOf(parseSshSig(fixture('ssh/message.sha512.sig'))).raw;
  const signature = Buffer.concat([string('ssh-ed25519'), string(raw)]);
  interface Parts {
    readonly magic?: string;
    readonly version?: string;
    readonly key?: Uint8Array;
    readonly namespace?: string;
    readonly reserved?: string;
    readonly hash?: string;
    readonly signature?: Uint8Array;
    readonly after?: string;
  }
  function blob(parts: Parts): string {
    return Buffer.concat([
      Buffer.from(parts.magic ?? 'SSHSIG'),
      Buffer.from(parts.version ?? '00000001', 'hex'),
      ...[parts.key ?? alice.blob, parts.namespace ?? 'file', parts.reserved ?? ''].map(string),
      ...[parts.hash ?? 'sha512', parts.signature ?? signature].map(string),
      Buffer.from(parts.after ?? ''),
    ]).toString('base64');
  }
  const frame = (base64: string): string =>
    `-----BEGIN SSH SIGNATURE-----\n${base64}\n-----END SSH SIGNATURE-----\n`;

  test('takes a signature put together by hand, and lines of any width', () => {
    expect(check(frame(blob({}))).ok).toBe(true);
    expect(check(frame(blob({}).replace(/.{76}/g, '$&\n'))).ok).toBe(true);
  });

  test.each<[string, Parts, string]>([
    ['another magic', { magic: 'SSHSIH' }, 'malformed'],
    ['version 0', { version: '00000000' }, 'version other than 1'],
    ['version 2', { version: '00000002' }, 'version other than 1'],
    ['no namespace', { namespace: '' }, 'malformed'],
    ['something reserved', { reserved: 'x' }, 'malformed'],
    ['another hash', { hash: 'sha1' }, 'unknown hash'],
    ['two hashes', { hash: 'sha256,sha512' }, 'unknown hash'],
    ['bytes after it', { after: 'x' }, 'malformed'],
    ['a second signature', { signature: Buffer.concat([signature, signature]) }, 'malformed'],
    ['a short signature', { signature: signature.subarray(0, -1) }, 'malformed'],
    ['another algorithm', { signature: Buffer.concat([string('ssh-rsa'), string(raw)]) }, 'malformed'],
    ['a key that is none', { key: Buffer.from('x') }, 'signing key is refused'],
    ['bytes after the key', { key: Buffer.concat([alice.blob, Buffer.from('x')]) }, 'signing key is refused'],
  ])('refuses %s', (_, parts, reason) => {
    expect(failureOf(parseSshSig(frame(blob(parts))))).toContain(reason);
  });

  test.each([
    ['text before it', `x\n${frame(blob({}))}`, 'unknown way'],
    ['text after it', `${frame(blob({}))}x\n`, 'malformed'],
    ['two of them', frame(blob({})).repeat(2), 'malformed'],
    ['no end', frame(blob({})).replace(/-----END.*/, ''), 'malformed'],
    ['base64 with stray bits', frame(blob({ namespace: 'files' }).replace(/.==$/, 'B==')), 'malformed'],
    ['blanks', frame(` ${blob({})}`), 'malformed'],
    ['nothing', '', 'unknown way'],
  ])('refuses %s', (_, text, reason) => {
    expect(failureOf(parseSshSig(text))).toContain(reason);
  });

  test.each([
    ['-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----\n', 'it is signed with OpenPGP'],
    ['-----BEGIN PGP MESSAGE-----\n\niQEz\n-----END PGP MESSAGE-----\n', 'it is signed with OpenPGP'],
    [
      '-----BEGIN SIGNED MESSAGE-----\nMIIE\n-----END SIGNED MESSAGE-----\n',
      'it is signed with an X.509 certificate',
    ],
  ])('says of other signatures what to do: %j', (text, cause) => {
    expect(failureOf(parseSshSig(text))).toBe(
      `${cause}, which is not accepted; sign with an SSH key instead: \`autark join\` sets this clone to do so`,
    );
  });

  test('takes no damaged signature, and never throws', () => {
    const seed = chooseSeed();
    const random = seeded(seed);
    const content = Buffer.from(blob({}), 'base64');
    for (let round = 0; round < 3000; round += 1) {
      const damaged = Buffer.from(mutate(content, random));
      if (damaged.equals(content)) continue;
      expect(check(frame(damaged.toString('base64'))).ok, `seed ${seed}: ${damaged.toString('hex')}`).toBe(
        false,
      );
    }
  });

  test('takes damaged armour only when the same bytes are in it', () => {
    const seed = chooseSeed();
    const random = seeded(seed);
    const text = fixture('ssh/message.sha512.sig');
    const good = valueOf(parseSshSig(text));
    for (let round = 0; round < 3000; round += 1) {
      const damaged = Buffer.from(mutate(Buffer.from(text), random)).toString('latin1');
      const sig = parseSshSig(damaged);
      if (!sig.ok || !verifySshSig(sig.value, 'file', message, alice).ok) continue;
      expect(sig.value, `seed ${seed}`).toEqual(good);
    }
  });
});
