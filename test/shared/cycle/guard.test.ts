import { expect, test } from 'vitest';
import { guard, uncertain, withoutInputs } from '../../../shared/cycle/guard.ts';
import type { BuiltSystem, Running } from '../../../shared/cycle/journal.ts';

const built: BuiltSystem = { kind: 'exec', path: '/systems/new', digest: 'd1', inputs: 'i1' };
const running: Running = {
  ...{ kind: 'exec', path: '/systems/old', digest: 'd1', inputs: 'i0', generation: 3 },
  ...{ revision: 'a'.repeat(40), since: '2026-01-01T00:00:00Z' },
};

test('a host on which nothing runs switches', () => {
  expect(guard(built, null)).toBe('switch');
});

test('only kind and digest count: not path, inputs, revision or generation', () => {
  expect(guard(built, running)).toBe('unchanged');
  expect(guard({ ...built, digest: 'd2' }, running)).toBe('switch');
  expect(guard({ ...built, kind: 'nixos' }, running)).toBe('switch');
});

test('what runs after a half-finished switch equals nothing, not even itself', () => {
  const left = uncertain(running);
  if (left === null) throw new Error('something runs');
  expect(guard(built, left)).toBe('switch');
  // A digest is SHA-256 in hexadecimal, so no build can have this one.
  expect(left.digest).not.toMatch(/^[0-9a-f]{64}$/);
  expect({ ...left, digest: running.digest }).toEqual(withoutInputs(running));
  expect(left).not.toHaveProperty('inputs');
  expect(uncertain(null)).toBeNull();
});
