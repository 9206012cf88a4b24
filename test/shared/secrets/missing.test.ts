import { expect, test } from 'vitest';
import { exitCode } from '../../../shared/failure.ts';
import { missingOf, secretsFailure } from '../../../shared/secrets/missing.ts';

const held = [
  { name: 'a', digest: 'ab'.repeat(32) },
  { name: 'b', cause: 'it is sealed to other keys' },
  { name: 'c', cause: 'secrets/c.age is not in this revision' },
];

test('nothing is said while every secret is in its place', () => {
  expect(missingOf(held.slice(0, 1))).toEqual([]);
  expect(secretsFailure([], [])).toBeUndefined();
});

test('all that cannot be opened is named, with the first cause, and what to do', () => {
  const failure = secretsFailure(missingOf(held), ['d belongs to postgres, and there is no such user']);
  expect(failure?.cause).toBe('the secret b cannot be opened: it is sealed to other keys; nor can c');
  expect(failure?.where).toBe('secrets/b.age');
  expect(failure?.detail).toBe(
    'b: it is sealed to other keys\nc: secrets/c.age is not in this revision\nd belongs to postgres, and there is no such user',
  );
  expect(exitCode(failure?.kind ?? 'unexpected')).toBe(62);
});

test('what was opened and cannot be placed as declared has the same code', () => {
  const failure = secretsFailure([], ['d belongs to postgres, and there is no such user']);
  expect(failure).toMatchObject({
    kind: 'secret-unopened',
    cause: 'd belongs to postgres, and there is no such user',
  });
  expect(failure).not.toHaveProperty('detail');
});
