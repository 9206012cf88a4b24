import { expect, test } from 'vitest';
import { privateScalar, scalarOf, sharedSecret } from '../../../agent/adapters/age/curve.ts';
import { isOfLowOrder, toMontgomery } from '../../../shared/secrets/montgomery.ts';
import { chooseSeed, seeded } from '../../agent/adapters/scratch.ts';
import { keyOf } from '../trust/fixtures.ts';

test('the point of a key becomes what OpenSSL makes of its private half', () => {
  for (let round = 0; round < 50; round += 1) {
    const { seed, publicBlob } = keyOf(`round ${round}`);
    const converted = toMontgomery(publicBlob.subarray(-32));
    expect(Buffer.from(converted ?? []).toString('hex'), `round ${round}`).toBe(
      Buffer.from(privateScalar(scalarOf(seed)).publicKey).toString('hex'),
    );
  }
});

test('the base point becomes 9, as RFC 7748 says', () => {
  // y = 4/5: RFC 8032, section 5.1.
  const base = Buffer.from(`58${'66'.repeat(31)}`, 'hex');
  expect(Buffer.from(toMontgomery(base) ?? []).toString('hex')).toBe('09'.padEnd(64, '0'));
});

test('half of all numbers are no point, and are refused', () => {
  const seed = chooseSeed();
  const random = seeded(seed);
  const refused = Array.from({ length: 200 }, () =>
    Uint8Array.from({ length: 32 }, (_, index) => Math.floor(random() * (index === 31 ? 127 : 256))),
  ).filter((bytes) => toMontgomery(bytes) === undefined).length;
  // Five deviations to each side of a fair coin.
  expect(refused, `seed ${seed}`).toBeGreaterThan(64);
  expect(refused, `seed ${seed}`).toBeLessThan(136);
});

test.each([
  ['the neutral point', '01'.padEnd(64, '0')],
  ['the prime, which is a second zero', `ed${'ff'.repeat(30)}7f`],
  ['too few bytes', '58'.padEnd(62, '6')],
])('%s is refused', (_what, hex) => {
  expect(toMontgomery(Buffer.from(hex, 'hex'))).toBeUndefined();
});

test.each([
  // The points of low order of RFC 7748, section 6.1, and those that curve25519’s users list: 0, 1, of order 8, p − 1.
  '00'.padEnd(64, '0'),
  '01'.padEnd(64, '0'),
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
])('no secret is shared with a point of low order: %s', (hex) => {
  expect(sharedSecret(privateScalar(scalarOf(keyOf('any').seed)), Buffer.from(hex, 'hex'))).toBeUndefined();
});

test('no secret is shared with a point of another length', () => {
  const own = privateScalar(scalarOf(keyOf('any').seed));
  for (const length of [0, 31, 33]) expect(sharedSecret(own, Buffer.alloc(length, 9))).toBeUndefined();
});

test.each([
  ['zero', '00'.repeat(32)],
  ['one', `01${'00'.repeat(31)}`],
  ['p − 1, of order two on the twist', `ec${'ff'.repeat(30)}7f`],
  // RFC 7748 names no such list; these two are the ones of order eight, as in every implementation that has one.
  ['order eight', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
  ['order eight, the other', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'],
])('a point that keeps no secret is no key: %s', (_what, hex) => {
  expect(isOfLowOrder(Buffer.from(hex, 'hex'))).toBe(true);
});

test('the base point keeps secrets', () => {
  expect(isOfLowOrder(Buffer.from('09'.padEnd(64, '0'), 'hex'))).toBe(false);
});
