import { describe, expect, test } from 'vitest';
import type { HeldByHand } from '../../../shared/cycle/hold.ts';
import { isApproved, mayRecord, type Past, plan, type Self, wasPinned } from '../../../shared/cycle/plan.ts';
import type { Fleet, Host } from '../../../shared/fleet/fleet.ts';

const genesis = 'a'.repeat(40);
const self: Self = { host: 'web1', key: 'ssh-ed25519 OURS', genesis, fleet: 'f1' };
const source = { kind: 'exec', build: 'b' } as const;
const full: Host = {
  name: 'web1',
  key: self.key,
  genesis,
  retired: false,
  groups: [],
  system: source,
  activate: 'switch',
  drift: 'report',
  interval: 60_000,
  heartbeat: null,
  health: [],
  timeouts: { fetch: 1, build: 1, switch: 1 },
  keep: 5,
  luksHeaders: false,
  steps: [],
  done: [],
};
function without(...keys: ('key' | 'genesis' | 'system')[]): Host {
  return Object.fromEntries(
    Object.entries(full).filter(([key]) => !keys.includes(key as 'key')),
  ) as unknown as Host;
}
function fleetOf(host: Host | null, id = 'f1'): Fleet {
  const hosts = new Map(host === null ? [] : [[host.name, host]]);
  return { fleet: id, readers: [], groups: [], hosts, secrets: new Map(), tooNew: false, warnings: [] };
}
const decide = (host: Host | null, now = 0, id = 'f1', byHand: HeldByHand | null = null) =>
  plan(fleetOf(host, id), self, now, { byHand });
const held = (kind: string, cause: RegExp) =>
  expect.objectContaining({
    do: 'hold',
    event: 'held',
    failure: expect.objectContaining({ kind, cause: expect.stringMatching(cause) as string }) as unknown,
  }) as unknown;

describe('the plan', () => {
  test('for an approved host is to deploy its own system', () => {
    expect(decide(full)).toEqual({ do: 'deploy', host: full, source });
  });

  test('for a host invited by its key alone is the same', () => {
    const invited = without('genesis');
    expect(decide(invited)).toEqual({ do: 'deploy', host: invited, source });
  });

  test.each([
    ['absent from the file', null, 'held', /does not name web1/],
    ['not approved', without('key', 'genesis'), 'held', /not approved/],
    ['with another key', { ...full, key: 'ssh-ed25519 THEIRS' }, 'not-this-host', /another key/],
    ['with another genesis', { ...full, genesis: 'b'.repeat(40) }, 'held', /genesis/],
    ['without a system', without('system'), 'held', /no system/],
  ])('for a host %s is to hold', (_what, host, kind, cause) => {
    expect(decide(host)).toEqual(held(kind, cause));
  });

  test('for another fleet is to hold (22), whatever it says of the host', () => {
    for (const host of [full, null, { ...full, retired: true }])
      expect(decide(host, 0, 'f2')).toEqual(held('not-this-host', /fleet f2/));
  });

  test('for a tombstone is to retire; one of another machine is not ours (22 before 13)', () => {
    const tombstone = { ...without('system'), retired: true };
    expect(decide(tombstone)).toMatchObject({ do: 'retire', failure: { kind: 'ended' } });
    expect(decide({ ...tombstone, key: 'ssh-ed25519 THEIRS' })).toEqual(held('not-this-host', /another key/));
  });

  test('for a tombstone without a key is to retire too', () => {
    expect(decide({ ...without('key', 'genesis'), retired: true })).toMatchObject({ do: 'retire' });
  });

  test('says in each refusal where and what next', () => {
    for (const host of [
      null,
      without('key'),
      { ...full, key: 'x' },
      without('system'),
      { ...full, retired: true },
    ]) {
      const decided = decide(host);
      if (decided.do === 'deploy' || decided.do === 'succeed') throw new Error(decided.do);
      expect(decided.failure.where).toMatch(/^fleet\.yaml, /);
      expect(decided.failure.remedy).not.toBe('');
    }
  });
});

describe('a machine that was pinned', () => {
  const by = 'd'.repeat(40);
  const successor = { file: '/k', key: 'ssh-ed25519 NEXT', genesis: 'c'.repeat(40), isOffered: true };
  const past: Past = { wasPinned: true, key: self.key, successor, replacedBy: by };
  const decided = (host: Host | null, more: Partial<Past> = {}, id = 'f1', me = self) =>
    plan(fleetOf(host, id), me, 0, { past: { ...past, ...more } });
  const other = { ...full, key: 'ssh-ed25519 THEIRS' };
  const ended = expect.objectContaining({
    do: 'end',
    failure: expect.objectContaining({
      kind: 'ended',
      cause: expect.stringContaining(`revision ${by} made another machine web1`) as string,
      remedy: expect.stringMatching(/switched off.*`git revert ddddddd`/) as string,
    }) as unknown,
  }) as unknown;

  test.each<[string, Host]>([
    ['key', other],
    ['genesis', { ...full, genesis: 'b'.repeat(40) }],
    ['key and genesis', { ...other, genesis: 'b'.repeat(40) }],
    ['key, by a tombstone', { ...other, retired: true }],
    ['key, and no genesis', Object.assign(without('genesis'), { key: 'ssh-ed25519 THEIRS' })],
    ['key, which is the next one, under another genesis', { ...full, key: successor.key }],
  ])('has been replaced by another %s (13)', (_what, host) => {
    expect(decided(host)).toEqual(ended);
    expect(decided(host, { wasPinned: false, key: null }).do).toBe('hold');
    // What is only tried replaces nobody.
    expect(decide(host).do).toBe('hold');
  });

  test('is replaced neither by another fleet (22 before 13), nor by its absence', () => {
    expect(decided(other, {}, 'f2')).toEqual(held('not-this-host', /fleet f2/));
    expect(decided(null)).toEqual(held('held', /does not name web1/));
  });

  test('and came to hold another key is not that host (22), as long as the old one is pinned', () => {
    const changed = { ...self, key: 'ssh-ed25519 SWAPPED' };
    expect(decided(full, {}, 'f1', changed)).toEqual(held('not-this-host', /another key/));
    // A journal that did not keep the key knows it by its genesis.
    expect(decided(full, { key: null }, 'f1', changed)).toEqual(held('not-this-host', /another key/));
    expect(decided(other, {}, 'f1', changed)).toEqual(ended);
  });

  test('takes its next key when exactly that is pinned, whichever of the two it holds', () => {
    const next = { ...full, key: successor.key, genesis: successor.genesis };
    expect(decided(next)).toEqual({ do: 'succeed', successor });
    expect(decided(next, {}, 'f1', { ...self, key: successor.key })).toEqual({ do: 'succeed', successor });
    expect(decided(next, { successor: null })).toEqual(ended);
    expect(decided(next, {}, 'f2')).toEqual(held('not-this-host', /fleet f2/));
    expect(decide(next).do).toBe('hold');
  });

  test('is known by its key, or by having recorded anything', () => {
    expect(wasPinned({ key: self.key, approved: false, seq: 0 })).toBe(true);
    expect(wasPinned({ key: null, approved: true, seq: 0 })).toBe(true);
    expect(wasPinned({ key: null, approved: false, seq: 1 })).toBe(true);
    expect(wasPinned({ key: null, approved: false, seq: 0 })).toBe(false);
  });
});

describe('a pause', () => {
  const until = Date.UTC(2027, 0, 5, 8);
  test('without an end holds for good, whatever the clock says', () => {
    const paused = { ...full, paused: { reason: 'disk swap' } };
    for (const now of [-1e12, 0, until, 4_294_967_296_000])
      expect(decide(paused, now)).toEqual({
        do: 'hold',
        event: 'paused',
        failure: expect.objectContaining({ kind: 'held', cause: 'web1 is paused: disk swap' }) as unknown,
      });
  });

  test.each([
    [0, true],
    [until - 1, true],
    [until, false],
    [until + 1, false],
    [4_294_967_296_000, false],
  ])('with an end: at %d it holds: %s', (now, holds) => {
    const decided = decide({ ...full, paused: { reason: 'r', until } }, now);
    if (holds) expect(decided).toMatchObject({ do: 'hold', event: 'paused', until });
    else expect(decided.do).toBe('deploy');
  });

  test('is less than retirement and than another machine’s key', () => {
    const paused = { ...full, paused: { reason: 'r' } };
    expect(decide({ ...paused, retired: true }).do).toBe('retire');
    expect(decide({ ...paused, key: 'ssh-ed25519 THEIRS' })).toEqual(held('not-this-host', /another key/));
  });
});

describe('a hold by hand', () => {
  const failure = { kind: 'held', cause: 'held by hand on this machine: r', remedy: 'x' } as const;
  const byHand = (host: Host | null, id = 'f1') => decide(host, 0, id, { failure, until: 7 });

  test('holds until its end, and outweighs a pause and a host without a system', () => {
    const plans = [full, { ...full, paused: { reason: 'p' } }, without('system')].map((host) => byHand(host));
    for (const each of plans)
      expect(each).toEqual({ do: 'hold', event: 'held', failure, until: 7, isByHand: true });
  });

  test('is less than another machine’s key, another genesis, retirement and a missing approval', () => {
    expect(byHand({ ...full, key: 'ssh-ed25519 THEIRS' })).toEqual(held('not-this-host', /another key/));
    expect(byHand({ ...full, genesis: 'b'.repeat(40) })).toEqual(held('held', /genesis/));
    expect(byHand({ ...full, retired: true }).do).toBe('retire');
    expect(byHand(null)).toEqual(held('held', /does not name web1/));
    expect(byHand(without('key', 'genesis'))).toEqual(held('held', /not approved/));
    expect(byHand(full, 'f2')).toEqual(held('not-this-host', /fleet f2/));
  });
});

describe('who may write the state branch', () => {
  const cases: [string, Host | null, boolean, boolean, boolean][] = [
    // what, entry, approved now, may record if approved before, may record if not
    ['pinned by key and genesis', full, true, true, true],
    ['pinned by its key alone', without('genesis'), true, true, true],
    ['absent', null, false, true, false],
    ['present without a key', without('key', 'genesis'), false, false, false],
    ['pinned with another key', { ...full, key: 'ssh-ed25519 THEIRS' }, false, false, false],
    ['pinned with another genesis', { ...full, genesis: 'b'.repeat(40) }, false, false, false],
  ];
  test.each(cases)('%s', (_what, host, approved, ifBefore, ifNot) => {
    const fleet = fleetOf(host);
    expect([isApproved(fleet, self), mayRecord(fleet, self, true), mayRecord(fleet, self, false)]).toEqual([
      approved,
      ifBefore,
      ifNot,
    ]);
  });
});
