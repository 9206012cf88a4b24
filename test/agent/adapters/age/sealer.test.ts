import { expect, test } from 'vitest';
import { openerFor } from '../../../../agent/adapters/age/opener.ts';
import { ageSealer } from '../../../../agent/adapters/age/sealer.ts';
import { sentence } from '../../../../shared/failure.ts';
import { fixture } from '../../../shared/trust/fixtures.ts';
import { chooseSeed, failureOf, seeded, valueOf } from '../scratch.ts';
import { kinds, keysOf, makePair, type Pair } from './keys.ts';

const where = 'secrets/x.age';

test('any value that is sealed to any set of keys is opened by exactly those', async () => {
  const seed = chooseSeed();
  const random = seeded(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const pairs: Pair[] = await Promise.all(
    [...kinds, ...kinds, ...kinds.slice(0, 2)].map((kind) => makePair(kind)),
  );
  const openers = await Promise.all(pairs.map(async ({ file }) => openerFor(await keysOf(file))));
  const sealer = ageSealer();
  const edges = [0, 1, 16, 65_535, 65_536, 65_537, 70_000];
  for (let round = 0; round < 24; round += 1) {
    const value = Buffer.from(
      Array.from({ length: edges[round] ?? below(round % 4 === 0 ? 70 * 1024 : 300) }, () => below(256)),
    );
    const chosen = pairs.map(() => random() < 0.4);
    chosen[below(pairs.length)] = true;
    const recipients = pairs.filter((_, index) => chosen[index]).map(({ recipient }) => recipient);
    const sealed = Buffer.from(valueOf(await sealer.seal(value, recipients)));
    for (const [index, opener] of openers.entries()) {
      const said = `seed ${seed}, round ${round}, key ${index}`;
      const opened = await opener.open(sealed, where);
      if (chosen[index]) expect(Buffer.compare(valueOf(opened), value), said).toBe(0);
      else expect(failureOf(opened).cause, said).toMatch(/^it is sealed to .*other key/);
    }
  }
});

test('a key that is named twice has one stanza', async () => {
  const { recipient, file } = await makePair('ssh');
  const other = await makePair('ssh');
  const armoured = valueOf(await ageSealer().seal(Buffer.from('v'), [recipient, recipient]));
  const opener = openerFor(await keysOf(other.file));
  expect(failureOf(await opener.open(Buffer.from(armoured), where)).cause).toBe(
    'it is sealed to another key (1 ssh-ed25519)',
  );
  expect(valueOf(await openerFor(await keysOf(file)).open(Buffer.from(armoured), where))).toHaveLength(1);
});

test('the same value sealed twice has nothing in common that would show that it is the same', async () => {
  const { recipient } = await makePair('ssh');
  const bodies = await Promise.all(
    [1, 2].map(async () => valueOf(await ageSealer().seal(Buffer.alloc(100), [recipient]))),
  );
  const [one, other] = bodies.map((text) => text.split('\n').slice(2, -2));
  expect(one?.filter((line) => other?.includes(line))).toEqual([]);
});

const bad: readonly [what: string, recipient: string, says: RegExp][] = [
  ['an RSA key', fixture('ssh/rsa.pub').trim(), /only those of type ssh-ed25519/],
  ['an ECDSA key', fixture('ssh/ecdsa.pub').trim(), /only those of type ssh-ed25519/],
  ['a hardware token', 'sk-ssh-ed25519@openssh.com AAAA', /signs, but opens nothing/],
  [
    'a plugin of age',
    'age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t',
    /plugin of age/,
  ],
  [
    'a word that is cut short',
    'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8',
    /checksum or its length/,
  ],
  ['a post-quantum key that is cut short', 'age1pq1qqqqqqqqqqqqqqq', /checksum or its length/],
  [
    'an SSH key that is cut short',
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA',
    /base64, or cut short|malformed/,
  ],
  // y = 2 is on no curve point: (y² − 1) / (d·y² + 1) is no square.
  ['a point that is not on the curve', sshOf('02'.padEnd(64, '0')), /nobody can have the private half/],
  // y ≥ p: a second way to write y = 3.
  ['a coordinate beyond the prime', sshOf(`f0${'ff'.repeat(30)}7f`), /nobody can have the private half/],
  ['the neutral point', sshOf('01'.padEnd(64, '0')), /anybody can sign/],
  ['nothing', '', /no key that is known/],
];

function sshOf(point: string): string {
  const blob = Buffer.from(`0000000b${Buffer.from('ssh-ed25519').toString('hex')}00000020${point}`, 'hex');
  return `ssh-ed25519 ${blob.toString('base64')}`;
}

test.each(bad)('%s is refused, with the reason', async (_what, recipient, says) => {
  const good = await makePair('ssh');
  const failure = failureOf(await ageSealer().seal(Buffer.from('v'), [good.recipient, recipient]));
  expect(failure.kind).toBe('invalid');
  expect(failure.cause).toMatch(says);
});

test('a public key of low order in age’s own form is refused: everybody would know the secret', async () => {
  // 32 zero bytes, with a good checksum.
  const zero = 'age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z';
  const failure = failureOf(await ageSealer().seal(Buffer.from('v'), [zero]));
  expect(failure.kind).toBe('invalid');
});

test('a private key in the place of a public one is not shown', async () => {
  const { file } = await makePair('x25519');
  const failure = failureOf(await ageSealer().seal(Buffer.from('v'), [file.trim()]));
  expect(failure.cause).toMatch(/private key stands where/);
  expect(JSON.stringify(failure)).not.toContain(file.trim().slice(20, 40));
});

test('nobody to seal to is a failure, not a file that nobody opens', async () => {
  expect(sentence(failureOf(await ageSealer().seal(Buffer.from('v'), [])))).toMatch(/nobody to seal to/);
});
