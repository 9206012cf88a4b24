import { expect, test } from 'vitest';
import { parseLockedKey } from '../../../shared/trust/locked-key.ts';
import { chooseSeed, failureOf, seeded, valueOf } from '../../agent/adapters/scratch.ts';
import { mutate } from '../mutate.ts';
import { fixture } from './fixtures.ts';

const locked = fixture('ssh/locked');

test('a key with a passphrase says what its passphrase is made into', () => {
  const key = valueOf(parseLockedKey(locked));
  // ssh-keygen’s usual: 16 rounds, and 32 bytes of key and 16 of counter for aes256-ctr.
  expect(key).toMatchObject({ rounds: 16, length: 48 });
  expect(key?.salt).toHaveLength(16);
  expect(key?.unlock(new Uint8Array(48))).toBeUndefined();
});

test('a key without one is told apart', () => {
  expect(valueOf(parseLockedKey(fixture('ssh/alice')))).toBeNull();
});

test('a file that is damaged anywhere unlocks nothing, and is never an exception', () => {
  const seed = chooseSeed();
  const random = seeded(seed);
  const [, base64 = ''] = /-----\n([^-]+)\n-----END/.exec(locked) ?? [];
  const bytes = Buffer.from(base64, 'base64');
  for (let round = 0; round < 2000; round += 1) {
    const changed = Buffer.from(mutate(bytes, random)).toString('base64');
    const parsed = parseLockedKey(locked.replace(base64, changed));
    if (!parsed.ok || parsed.value === null) continue;
    expect(parsed.value.rounds, `seed ${seed}, round ${round}`).toBeLessThanOrEqual(2048);
    const material = new Uint8Array(parsed.value.length).fill(round & 0xff);
    expect(parsed.value.unlock(material), `seed ${seed}, round ${round}`).toBeUndefined();
  }
});

test('so many rounds that a program would stand still are refused, with how to have fewer', () => {
  const [, base64 = ''] = /-----\n([^-]+)\n-----END/.exec(locked) ?? [];
  // The KDF’s name, the length of its options, those: a salt of 16 bytes with its length, then the rounds.
  const at = Buffer.from(base64, 'base64').indexOf('bcrypt') + 'bcrypt'.length + 4 + 4 + 16;
  const patched = (rounds: number): string => {
    const changed = Buffer.from(base64, 'base64');
    changed.writeUInt32BE(rounds, at);
    return locked.replace(base64, changed.toString('base64'));
  };
  expect(failureOf(parseLockedKey(patched(0xffffffff))).message).toMatch(/4294967295 rounds.*-a 64/);
  expect(failureOf(parseLockedKey(patched(0))).message).toMatch(/damaged/);
});
