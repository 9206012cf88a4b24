import { expect, test } from 'vitest';
import {
  backIn,
  guard,
  uncertain,
  wayBack,
  wayBackByHand,
  withoutInputs,
} from '../../../shared/cycle/guard.ts';
import type { BuiltSystem, Running } from '../../../shared/cycle/journal.ts';

const built: BuiltSystem = { kind: 'exec', path: '/systems/new', digest: 'd1', inputs: 'i1' };
const running: Running = {
  ...{ kind: 'exec', path: '/systems/old', digest: 'd1', inputs: 'i0', generation: 3 },
  ...{ revision: 'a'.repeat(40), since: '2026-01-01T00:00:00Z' },
};

const head = { isTrial: false };
const trial = { isTrial: true };

test('a host on which nothing runs switches', () => {
  expect(guard(built, null, head)).toBe('switch');
});

test('only kind, digest and secrets count: not path, inputs, revision or generation', () => {
  expect(guard(built, running, head)).toBe('unchanged');
  expect(guard({ ...built, digest: 'd2' }, running, head)).toBe('switch');
  expect(guard({ ...built, kind: 'nixos' }, running, head)).toBe('switch');
  const secrets = { secrets: 's1' };
  expect(guard({ ...built, ...secrets }, running, head)).toBe('switch');
  expect(guard(built, { ...running, ...secrets }, head)).toBe('switch');
  expect(guard({ ...built, ...secrets }, { ...running, ...secrets }, head)).toBe('unchanged');
});

test('what runs after a half-finished switch equals nothing, not even itself', () => {
  const left = uncertain(running);
  if (left === null) throw new Error('something runs');
  expect(guard(built, left, head)).toBe('switch');
  // A digest is SHA-256 in hexadecimal, so no build can have this one.
  expect(left.digest).not.toMatch(/^[0-9a-f]{64}$/);
  expect({ ...left, digest: running.digest }).toEqual(withoutInputs(running));
  expect(left).not.toHaveProperty('inputs');
  expect(uncertain(null)).toBeNull();
});

test('what is only being tested is not what the machine boots: to stay, it is switched to', () => {
  const tested: Running = { ...running, testedIn: 'boot-1' };
  expect(guard(built, tested, head)).toBe('switch');
  expect(guard(built, tested, trial)).toBe('unchanged');
});

test('a failed switch goes back to what runs; one that was to stay never to what is only being tested', () => {
  const tested: Running = { ...running, generation: 7, testedIn: 'boot-1' };
  expect(wayBack({ running: null, lastGood: null }, head)).toBeNull();
  expect(wayBack({ running, lastGood: 3 }, head)).toBe(3);
  expect(wayBack({ running, lastGood: 3 }, trial)).toBe(3);
  expect(wayBack({ running: tested, lastGood: 6 }, head)).toBe(6);
  expect(wayBack({ running: tested, lastGood: 6 }, trial)).toBe(7);
});

test('a person goes back to what ran before, and from a trial to what the machine boots', () => {
  const journal = { running: { ...running, generation: 5 }, previous: 3, lastGood: 5 };
  expect(wayBackByHand(journal)).toBe(3);
  const tested = { ...running, generation: 6, testedIn: 'boot' };
  expect(wayBackByHand({ ...journal, running: tested })).toBe(5);
  expect(wayBackByHand({ ...journal, running: null })).toBeNull();
  expect(wayBackByHand({ ...journal, previous: null })).toBeNull();
  expect(wayBackByHand({ ...journal, previous: 5 })).toBeNull();
});

test('once gone back, the way back leads further back, never forward again', () => {
  const first = backIn({ previous: 4, earlier: [1, 2] }, 4);
  expect(first).toEqual({ previous: 2, earlier: [1] });
  expect(backIn(first, 2)).toEqual({ previous: 1, earlier: [] });
  expect(backIn({ previous: 1, earlier: [] }, 1)).toEqual({ previous: null, earlier: [] });
  // From a trial: what the machine boots was never left.
  expect(backIn({ previous: 4, earlier: [1] }, 5)).toEqual({ previous: 4, earlier: [1] });
});
