import { describe, expect, test } from 'vitest';
import { exitMask } from '../../../shared/fleet-view/exit-mask.ts';
import { hostView, type Claim, type Observation } from '../../../shared/fleet-view/host-state.ts';
import type { Host } from '../../../shared/fleet/fleet.ts';
import type { StateEvent, Status } from '../../../shared/record/status.ts';

const head = 'a'.repeat(40);
const older = 'b'.repeat(40);
const now = Date.parse('2027-01-05T12:00:00Z');

const host: Host = {
  name: 'web1',
  key: 'ssh-ed25519 AAAA',
  genesis: 'c'.repeat(40),
  retired: false,
  groups: [],
  activate: 'switch',
  drift: 'report',
  interval: 60_000,
  heartbeat: 86_400_000,
  health: [],
  timeouts: { fetch: 1, build: 1, switch: 1 },
  keep: 5,
  luksHeaders: false,
  steps: [],
  done: [],
};

interface Said {
  readonly event?: StateEvent;
  readonly code?: number;
  readonly revision?: string | null;
  readonly attempted?: string;
  readonly saw?: string;
  readonly message?: string;
  readonly next?: string | null;
  readonly drift?: readonly string[];
}

function claim(said: Said = {}, problem: string | null = null): Claim {
  const { event = 'deployed', code = 0, revision = head, attempted, saw = head, message = '' } = said;
  const next = said.next === undefined ? '2027-01-06T00:00:00Z' : said.next;
  const status: Status = {
    format: 1,
    fleet: 'f',
    host: 'web1',
    seq: 3,
    at: '2027-01-05T11:00:00Z',
    agent: { version: '0' },
    installation: 'i',
    machine: { id: '', boot: '', os: '', kernel: '', cpu: '', memory: 0, disks: [] },
    accepted: saw,
    head: saw,
    system:
      revision === null
        ? null
        : { kind: 'exec', path: '/s', generation: 7, revision, since: '2027-01-05T10:00:00Z' },
    outcome: { event, code },
    rebootRequired: false,
    ...(next === null ? {} : { next }),
    guarantees: [],
    ...(said.drift === undefined ? {} : { drift: said.drift }),
  };
  const record = {
    id: 'd'.repeat(40),
    seq: 3,
    at: status.at,
    event,
    code,
    subject: 'subject',
    message,
    status,
  };
  return {
    record: {
      ...record,
      ...(revision === null ? {} : { revision, generation: 7 }),
      ...(attempted === undefined ? {} : { attempted }),
    },
    problem,
  };
}

function view(observed: Partial<Observation>) {
  return hostView({ name: 'web1', host, head, claim: claim(), waiting: 0, behind: 0, now, ...observed });
}

test('a host that runs the head is converged, since it was activated', () => {
  expect(view({})).toEqual({
    host: 'web1',
    state: 'converged',
    cause: null,
    code: 0,
    revision: head,
    behind: 0,
    generation: 7,
    since: '2027-01-05T10:00:00Z',
    verified: true,
  });
});

describe('what a host says is taken for the head that it has judged, and for no other', () => {
  const news = { saw: older, revision: older };
  const drift = ['the system profile was changed by hand'];
  test.each<[string, Said, string]>([
    ['older revision, nothing wrong', { revision: older, saw: older }, 'building'],
    ['the head failed', { event: 'failed', code: 30, revision: older, attempted: head }, 'failed'],
    [
      'an older revision failed, and there is a newer head',
      { ...news, event: 'failed', code: 30, attempted: older },
      'building',
    ],
    [
      'was gone back with by hand',
      { event: 'rolled-back', code: 10, revision: older, attempted: head },
      'held',
    ],
    [
      'went back from the head',
      { event: 'rolled-back', code: 40, revision: older, attempted: head },
      'failed',
    ],
    ['held at the head', { event: 'held', code: 10 }, 'held'],
    ['a head that is not authentic', { event: 'held', code: 20, revision: older }, 'held'],
    ['held at an older head', { ...news, event: 'held', code: 20 }, 'building'],
    ['alive, and what failed still stands', { event: 'alive', code: 30, revision: older }, 'failed'],
    ['alive, and held still', { event: 'alive', code: 10, revision: older }, 'held'],
    ['alive, and not meant still', { event: 'alive', code: 22, revision: older }, 'held'],
    ['alive and well', { event: 'alive' }, 'converged'],
    ['approved and not deployed', { event: 'enrolled', revision: null, saw: older }, 'building'],
    ['drifted', { event: 'drifted', drift }, 'drifted'],
    ['drifted, with a newer head that it has not judged', { ...news, event: 'drifted', drift }, 'drifted'],
    ['drifted still, by a record about something else', { event: 'unchanged', drift }, 'drifted'],
    ['drifted no more: it was undone by hand', { event: 'drifted' }, 'converged'],
    ['drifted, and what failed still stands', { event: 'drifted', code: 30, drift }, 'failed'],
    ['drifted while it tries a revision', { event: 'testing', revision: older, drift }, 'drifted'],
    ['testing', { event: 'testing', revision: older }, 'testing'],
  ])('%s', (_, said, state) => {
    expect(view({ claim: claim(said) }).state).toBe(state);
  });
});

test('a drifted host is shown with what was changed, and what to do', () => {
  const drift = ['the system profile was changed by hand', '/run/current-system too'];
  const { cause, since } = view({ claim: claim({ event: 'drifted', drift }) });
  expect(cause).toMatch(
    /^the system profile was changed by hand; \/run\/current-system too; if it shall stay, /,
  );
  expect(cause).toContain('`drift: correct`');
  expect(since).toBe('2027-01-05T11:00:00Z');
});

describe('what outweighs what a host says', () => {
  test.each<[string, Partial<Observation>, string, boolean]>([
    ['retired in the file', { host: { ...host, retired: true } }, 'retired', true],
    ['no entry, no branch', { host: null, claim: null, waiting: 1 }, 'unapproved', false],
    ['an entry without a key', { host: withoutKey(), claim: null }, 'unapproved', false],
    ['a branch without an entry', { host: null, claim: claim({}, 'no key') }, 'held', false],
    ['approved, and nothing came', { claim: null }, 'silent', false],
    ['paused', { host: { ...host, paused: { reason: 'disk swap' } } }, 'paused', true],
    ['a pause that ended', { host: { ...host, paused: { reason: 'x', until: now } } }, 'converged', true],
    ['silent', { claim: claim({ next: '2027-01-05T11:59:59Z' }) }, 'silent', true],
    [
      'silent, although it failed',
      { claim: claim({ event: 'failed', code: 30, next: '2027-01-05T11:00:00Z' }) },
      'silent',
      true,
    ],
    ['asleep is not silent', { claim: claim({ next: null }) }, 'converged', true],
  ])('%s', (_, observed, state, verified) => {
    expect(view(observed)).toMatchObject({ state, verified });
  });

  test('a record that is not good is shown, but never looks well', () => {
    const forged = view({ claim: claim({}, 'it is not signed') });
    expect(forged).toMatchObject({
      state: 'failed',
      verified: false,
      cause: 'it is not signed',
      revision: head,
    });
  });

  test('an unreadable record too', () => {
    expect(view({ claim: { record: null, problem: 'it has no status.json' } })).toMatchObject({
      state: 'failed',
      code: null,
      verified: false,
    });
  });
});

function withoutKey(): Host {
  const { key, ...rest } = host;
  expect(key).toBeDefined();
  return rest;
}

describe('the exit mask', () => {
  test.each<[string, Partial<Observation>, number]>([
    ['all well', {}, 0],
    [
      'failed and behind',
      { claim: claim({ event: 'failed', code: 30, revision: older, attempted: head }), behind: 2 },
      3,
    ],
    ['behind', { claim: claim({ revision: older, saw: older }), behind: 1 }, 2],
    ['silent', { claim: claim({ next: '2027-01-05T11:00:00Z' }) }, 4],
    ['not verified', { claim: claim({}, 'forged') }, 9],
    ['held', { claim: claim({ event: 'held', code: 10 }) }, 16],
    ['paused', { host: { ...host, paused: { reason: 'x' } } }, 16],
    ['unapproved machines are nobody’s failure', { host: null, claim: null, waiting: 1 }, 0],
    ['retired', { host: { ...host, retired: true }, claim: claim({ revision: older }), behind: 9 }, 0],
  ])('%s', (_, observed, mask) => {
    expect(exitMask([view(observed)])).toBe(mask);
  });

  test('is the sum over all hosts', () => {
    const silent = view({ claim: claim({ next: '2027-01-05T11:00:00Z' }) });
    const held = view({ claim: claim({ event: 'held', code: 10 }) });
    expect(exitMask([silent, held, view({})])).toBe(20);
    expect(exitMask([])).toBe(0);
  });
});

test('a hold by hand is said of a host that is paused as well; a hold from before the pause is not', () => {
  const paused = { ...host, paused: { reason: 'disk swap' } };
  for (const event of ['held', 'rolled-back'] as const) {
    const said = { event, code: 10, revision: older, attempted: head, message: 'held by hand' };
    expect(view({ host: paused, claim: claim(said) })).toMatchObject({
      state: 'held',
      cause: 'held by hand',
    });
    const old = { ...said, attempted: older, saw: older };
    expect(view({ host: paused, claim: claim(old) })).toMatchObject({ state: 'paused', cause: 'disk swap' });
  }
});
