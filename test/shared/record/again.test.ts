import { expect, test } from 'vitest';
import { draftAgain } from '../../../shared/record/again.ts';
import { failureOf, valueOf } from '../../agent/adapters/scratch.ts';
import { deployed, draft, failure } from './drafts.ts';
import { found } from './found.ts';

const moved = { seq: 200, next: '2027-01-06T08:00:00.000Z' };
const place = { ...moved, sealed: {} };

test.each([
  ['a deployment', draft()],
  ['a failure', draft({ ...deployed, event: 'failed', failure })],
])('%s is made again as it was, for another place', (_what, before) => {
  const again = valueOf(draftAgain(found(before), place));
  expect(again).toEqual({ ...before, status: { ...before.status, ...moved } });
});

test('without a promise when the host makes none', () => {
  expect(valueOf(draftAgain(found(), { ...place, next: undefined })).status).not.toHaveProperty('next');
});

test('a status that cannot be read is the failure', () => {
  expect(failureOf(draftAgain({ ...found(), statusText: '{' }, place))).toMatch(/JSON/);
});

test('its sealed files are those that are kept now: what it had then is older', () => {
  const sealed = { 'ledger.age': 'ab'.repeat(20) };
  const before = draft();
  const made = found({ ...before, sealed: { 'ledger.age': 'cd'.repeat(20) } });
  expect(valueOf(draftAgain(made, { ...place, sealed })).sealed).toEqual(sealed);
});
