import { describe, expect, test } from 'vitest';
import {
  enrolKeyId,
  fingerprint,
  formatPrivateKey,
  formatPublicKey,
  parsePrivateKey,
  parsePublicBlob,
  parsePublicKey,
} from '../../../shared/trust/ssh-key.ts';
import { chooseSeed, failureOf, seeded, valueOf } from '../../agent/adapters/scratch.ts';
import { mutate } from '../mutate.ts';
import { fixture, keyOf, string, token } from './fixtures.ts';

const alice = fixture('ssh/alice.pub').trim();
const [type = '', base64 = ''] = alice.split(' ');
const blob = Buffer.from(base64, 'base64');
const point = blob.subarray(-32);

describe('a public key', () => {
  test('of ssh-keygen reads, and has the fingerprint that ssh-keygen -l prints', () => {
    const key = valueOf(parsePublicKey(fixture('ssh/alice.pub')));
    expect(key).toEqual({ type, blob, point, comment: 'alice@example.org', line: `${type} ${base64}` });
    expect(fixture('ssh/alice.fingerprint').split(' ')[1]).toBe(fingerprint(key.blob));
  });

  test('has a short name that is the beginning of the same hash', () => {
    const [, hash = ''] = fixture('ssh/alice.fingerprint')
      .split(/ |SHA256:/)
      .filter(Boolean);
    expect(enrolKeyId(blob)).toBe(Buffer.from(hash, 'base64').toString('hex').slice(0, 16));
  });

  test('is written as in a .pub file, whatever the comment', () => {
    expect(`${formatPublicKey(blob, 'alice@example.org')}\n`).toBe(fixture('ssh/alice.pub'));
    expect(formatPublicKey(blob)).toBe(`${type} ${base64}`);
    expect(formatPublicKey(blob, 'a\nssh-ed25519 b')).toBe(`${type} ${base64} assh-ed25519 b`);
  });

  test('of a hardware token names its application', () => {
    const { line } = token('alice', 'ssh:work');
    expect(valueOf(parsePublicKey(line))).toMatchObject({ application: 'ssh:work', line });
  });

  test.each([
    ['rsa.pub', 'ssh-rsa'],
    ['ecdsa.pub', 'ecdsa-sha2-nistp256'],
  ])('of another type says what to use: %s', (file, name) => {
    expect(failureOf(parsePublicKey(fixture(`ssh/${file}`)))).toBe(
      `keys of type ${name} are not accepted; use ssh-ed25519 (\`ssh-keygen -t ed25519\`) or ` +
        'sk-ssh-ed25519@openssh.com (`-t ed25519-sk`)',
    );
  });

  test.each([
    ['nothing', '', 'not a public key'],
    ['only base64', base64, 'not a public key'],
    ['options before it', `no-pty ${alice}`, 'keys of type no-pty'],
    ['a certificate', alice.replace(type, 'ssh-ed25519-cert-v01@openssh.com'), 'not accepted'],
    ['a type that is not its own', `sk-ssh-ed25519@openssh.com ${base64}`, 'the key says sk-'],
    ['base64 cut short', `${type} ${base64.slice(0, -4)}`, 'malformed'],
    ['base64 with stray bits', `${type} ${base64.slice(0, -1)}=`, 'not base64'],
    ['base64 with other letters', `${type} ${base64.replace('A', '*')}`, 'not base64'],
    ['base64 for URLs', `${type} ${'-_'.padEnd(68, 'A')}`, 'not base64'],
  ])('is refused with %s', (_, line, reason) => {
    expect(failureOf(parsePublicKey(line))).toContain(reason);
  });

  const sk = 'sk-ssh-ed25519@openssh.com';
  test.each<[string, Uint8Array[], string]>([
    ['no point', [string(type)], 'malformed'],
    ['a short point', [string(type), string(point.subarray(1))], 'malformed'],
    ['a long point', [string(type), string(Buffer.concat([point, point]))], 'malformed'],
    ['bytes after it', [blob, Buffer.from('x')], 'malformed'],
    ['an application without a token', [blob, string('ssh:')], 'malformed'],
    ['a token without application', [string(sk), string(point)], 'malformed|made for SSH'],
    [
      'a token’s key for a website',
      [string(sk), string(point), string('https://example.org')],
      'made for SSH',
    ],
    ['a length beyond its end', [Buffer.from('ffffffff', 'hex')], 'malformed'],
  ])('is refused as bytes with %s', (_, parts, reason) => {
    expect(failureOf(parsePublicBlob(Buffer.concat(parts)))).toMatch(new RegExp(reason));
  });

  // RFC 8032's curve has eight points whose order divides 8; for a public key among them, anybody can make
  // a signature that verifies for some messages. Their y are 1, -1, 0, and two roots; both signs of x.
  test.each([
    `01${'00'.repeat(31)}`,
    `01${'00'.repeat(30)}80`,
    `ec${'ff'.repeat(30)}7f`,
    '00'.repeat(32),
    `${'00'.repeat(31)}80`,
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  ])('is refused when it protects nothing: %s', (y) => {
    const weak = Buffer.concat([string(type), string(Buffer.from(y, 'hex'))]);
    expect(failureOf(parsePublicBlob(weak))).toBe('the key is one for which anybody can sign');
  });
});

describe('a private key', () => {
  test('of ssh-keygen reads, and is the same key as its .pub', () => {
    const key = valueOf(parsePrivateKey(fixture('ssh/alice')));
    expect(key).toMatchObject({ type, comment: 'alice@example.org', line: `${type} ${base64}` });
    expect(Buffer.from(key.publicBlob)).toEqual(blob);
  });

  test('has the public half that RFC 8032, section 7.1, test 1, states', () => {
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
    const key = valueOf(parsePrivateKey(formatPrivateKey(seed, 'rfc', 0)));
    expect(Buffer.from(key.publicBlob.subarray(-32)).toString('hex')).toBe(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    );
    expect(Buffer.from(key.seed)).toEqual(seed);
  });

  test('is written byte for byte as ssh-keygen wrote it', () => {
    const text = fixture('ssh/alice');
    const body = Buffer.from(text.split('\n').slice(1, -2).join(''), 'base64');
    // The check number stands behind the magic (15), “none” twice (16), no options (4), a count (4), the public key
    // (4 + 51) and the length of the rest (4).
    const checkint = body.readUInt32BE(15 + 16 + 4 + 4 + 55 + 4);
    const { seed, comment } = valueOf(parsePrivateKey(text));
    expect(formatPrivateKey(seed, comment, checkint)).toBe(text);
  });

  test.each(['', 'a', 'ab', 'abc', 'abcd', 'abcde', 'abcdef', 'abcdefg', 'abcdefgh', 'Zoë'])(
    'reads back with the comment %j',
    (comment) => {
      const { seed } = keyOf('bob');
      expect(valueOf(parsePrivateKey(formatPrivateKey(seed, comment, 0xffffffff)))).toMatchObject({
        comment,
      });
    },
  );

  test('may have come by way of Windows', () => {
    expect(parsePrivateKey(fixture('ssh/alice').replaceAll('\n', '\r\n')).ok).toBe(true);
  });

  test.each<[string, string, string]>([
    ['a passphrase', fixture('ssh/locked'), 'encrypted'],
    ['its public half alone', fixture('ssh/alice.pub'), 'format'],
    ['nothing', '', 'format'],
    ['a PEM file of RSA', '-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n', 'type'],
    ['something after it', `${fixture('ssh/alice')}more`, 'format'],
  ])('is refused with %s', (_, text, reason) => {
    const problem = failureOf(parsePrivateKey(text));
    expect(problem.reason).toBe(reason);
    expect(problem.message).toMatch(/[a-z]; [a-z]/);
  });

  interface Parts {
    readonly cipher?: string;
    readonly count?: number;
    readonly outer?: Uint8Array;
    readonly checks?: readonly [number, number];
    readonly inner?: Uint8Array;
    readonly pair?: Uint8Array;
    readonly padding?: string;
    readonly after?: string;
  }
  const { seed, publicBlob } = keyOf('alice');
  const own = publicBlob.subarray(-32);
  const other = keyOf('bob').publicBlob.subarray(-32);
  const uint32 = (value: number): Buffer => Buffer.from(value.toString(16).padStart(8, '0'), 'hex');

  /** A file by PROTOCOL.key. The secret part has 132 bytes, so that four of padding make it a multiple of 8. */
  function file(parts: Parts): string {
    const [check, again] = parts.checks ?? [7, 7];
    const pair = string(parts.pair ?? Buffer.concat([seed, own]));
    const secret = Buffer.concat([
      ...[uint32(check), uint32(again), string('ssh-ed25519'), string(parts.inner ?? own), pair, string('c')],
      Buffer.from(parts.padding ?? '01020304', 'hex'),
    ]);
    const head = [
      Buffer.from('openssh-key-v1\0'),
      string(parts.cipher ?? 'none'),
      string('none'),
      string(''),
    ];
    const body = [uint32(parts.count ?? 1), string(parts.outer ?? publicBlob), string(secret)];
    const content = Buffer.concat([...head, ...body, Buffer.from(parts.after ?? '')]).toString('base64');
    return `-----BEGIN OPENSSH PRIVATE KEY-----\n${content}\n-----END OPENSSH PRIVATE KEY-----\n`;
  }

  test('may be put together by hand', () => {
    expect(valueOf(parsePrivateKey(file({})))).toMatchObject({ comment: 'c', line: keyOf('alice').line });
    expect(parsePrivateKey(file({ padding: '0102030405060708090a0b0c' })).ok).toBe(true);
  });

  test.each<[string, Parts, string]>([
    ['check numbers that differ', { checks: [7, 8] }, 'format'],
    ['two keys in it', { count: 2 }, 'format'],
    ['a cipher', { cipher: 'aes256-ctr' }, 'encrypted'],
    ['wrong padding', { padding: '01020305' }, 'format'],
    ['too little padding', { padding: '0102' }, 'format'],
    ['bytes after it', { after: 'x' }, 'format'],
    ['another’s public key outside', { outer: keyOf('bob').publicBlob }, 'format'],
    ['another’s public key inside', { inner: other }, 'format'],
    ['another’s public key beside the seed', { pair: Buffer.concat([seed, other]) }, 'format'],
    ['the seed of another', { pair: Buffer.concat([keyOf('bob').seed, own]) }, 'format'],
    ['a key in a token', { outer: token('alice').blob }, 'type'],
    ['an RSA key', { outer: string('ssh-rsa') }, 'type'],
  ])('is refused with %s', (_, parts, reason) => {
    expect(failureOf(parsePrivateKey(file(parts))).reason).toBe(reason);
  });

  test('cannot be made of a short seed', () => {
    expect(() => formatPrivateKey(new Uint8Array(31), '', 0)).toThrow(RangeError);
  });
});

test('no damage to a key makes a parser throw, or shows the key', () => {
  const seed = chooseSeed();
  const random = seeded(seed);
  const secret = Buffer.from(valueOf(parsePrivateKey(fixture('ssh/alice'))).seed)
    .toString('base64')
    .slice(4, 20);
  for (let round = 0; round < 2000; round += 1) {
    const text = Buffer.from(mutate(Buffer.from(fixture('ssh/alice')), random)).toString('latin1');
    const read = parsePrivateKey(text);
    if (!read.ok) expect(JSON.stringify(read.failure), `seed ${seed}`).not.toContain(secret);
    const line = Buffer.from(mutate(Buffer.from(alice), random)).toString('latin1');
    const key = parsePublicKey(line);
    if (key.ok) expect(valueOf(parsePublicBlob(key.value.blob)).line, `seed ${seed}`).toBe(key.value.line);
  }
});
