import { expect, test } from 'vitest';
import { parseApproval } from '../../../shared/disk/approval.ts';
import type { StepEvidence } from '../../../shared/disk/evidence.ts';
import { stepState } from '../../../shared/disk/step-state.ts';
import { approval, host, ledger, object, perfect, ran, step, withRuns } from './perfect.ts';

/** A step that destroys nothing, on a new machine, approved by nobody. */
const plain: StepEvidence = {
  ...{ step: { ...step, destroys: [] }, host, ledger, approval: null, standing: 'clear' },
};
const approvedPlain = { approval: { ...approval, devices: [] } };
const again = { host: { ...host, installation: 'installation-2' } };
const state = (changes: Partial<StepEvidence>) => stepState({ ...plain, ...changes }).is;

test('the installation that made the genesis runs what destroys nothing without an approval, once', () => {
  expect(stepState(plain)).toEqual({ is: 'ready', approval: null });
  expect(state(withRuns(ran('done', { approval: null })))).toBe('done');
  expect(state({ step: null })).toBe('not-declared');
});

test('what destroys needs an approval, and is ready with one', () => {
  expect(stepState({ ...perfect, approval: null }).is).toBe('needs-approval');
  expect(stepState(perfect)).toEqual({ is: 'ready', approval: approval.id });
});

test('on another installation, or with a ledger that began later, a step is unknown until an approval names this one', () => {
  const later = { ledger: { ...ledger, begun: { seq: 7, installation: 'installation-1' } } };
  const others = { ledger: { ...ledger, begun: { seq: 1, installation: 'installation-0' } } };
  expect(state(again)).toBe('unknown');
  expect(state(later)).toBe('unknown');
  expect(state(others)).toBe('unknown');
  expect(state({ host: { ...host, genesisInstallation: null } })).toBe('unknown');
  expect(state({ ...again, ...approvedPlain })).toBe('unknown');
  const named = { approval: { ...approvedPlain.approval, installation: 'installation-2' } };
  expect(state({ ...again, ...named })).toBe('ready');
  expect(state({ ...later, ...approvedPlain })).toBe('ready');
});

test('no approval helps where the ledger is missing, unreadable, old, or another machine writes it', () => {
  expect(state({ ledger: 'absent', ...approvedPlain })).toBe('unknown');
  expect(state({ ledger: { unreadable: 'x' }, ...approvedPlain })).toBe('unknown');
  expect(state({ ledger: { ...ledger, record: object('3') }, ...approvedPlain })).toBe('unknown');
  expect(state({ standing: { is: 'diverged', cause: 'x' }, ...approvedPlain })).toBe('unknown');
  expect(state({ standing: null, ...approvedPlain })).toBe('unknown');
  expect(state({ standing: { is: 'held', cause: 'x' }, ...approvedPlain })).toBe('held');
});

test.each(['failed', 'interrupted'] as const)(
  'what %s never runs again without an approval that was not used',
  (is) => {
    const outcome = is === 'failed' ? 'failed' : 'started';
    expect(state(withRuns(ran(outcome)))).toBe(is);
    expect(state({ ...withRuns(ran(outcome, { approval: approval.id })), ...approvedPlain })).toBe(is);
    expect(state({ ...withRuns(ran(outcome)), ...again, ...approvedPlain })).toBe(is);
    expect(state({ ...withRuns(ran(outcome)), ...approvedPlain })).toBe(is);
    const since = { approval: { ...approvedPlain.approval, runs: 1 } };
    expect(state({ ...withRuns(ran(outcome)), ...since })).toBe('ready');
  },
);

test('what is done stays done: with another program there is a note, with an approval nothing else', () => {
  const done = withRuns(ran('done'), ran('failed'));
  expect(stepState({ ...plain, ...done, ...approvedPlain })).toEqual({ is: 'done' });
  const changed = { step: { ...step, destroys: [], program: object('9') } };
  expect(stepState({ ...plain, ...done, ...changed })).toMatchObject({
    ...{ is: 'done', note: expect.stringMatching('its program is another one now') as string },
  });
  expect(state({ step: { ...step, isInherited: true }, ledger: 'absent' })).toBe('done');
});

test('runs of other steps say nothing of this one', () => {
  expect(state(withRuns(ran('started', { step: 'other' }), ran('done', { step: 'third' })))).toBe('ready');
});

test('an approval is read strictly: what is missing or not known is none', () => {
  expect(parseApproval(approval)).toEqual({ ok: true, value: approval });
  for (const key of Object.keys(approval)) {
    expect(parseApproval({ ...approval, [key]: undefined }).ok, key).toBe(false);
  }
  expect(parseApproval({ ...approval, unless: 'tuesday' })).toEqual({
    ...{ ok: false, failure: 'unless is not what `autark step approve` writes' },
  });
  expect(parseApproval({ ...approval, devices: [{ ...approval.devices[0], serial: ' ' }] }).ok).toBe(false);
  expect(parseApproval(null).ok).toBe(false);
});
