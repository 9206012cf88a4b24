import { describe, expect, test } from 'vitest';
import {
  bootsInto,
  driftNews,
  driftSentences,
  findStrays,
  type Sighting,
} from '../../../shared/cycle/drift.ts';
import { uncertain } from '../../../shared/cycle/guard.ts';
import type { Journal, LinkName, Running, Stray } from '../../../shared/cycle/journal.ts';
import { fullJournal, phases } from '../../agent/adapters/journals.ts';

const boot = '6d1c9f0e-0000-4000-8000-00000000000a';
const own = '/nix/store/own-nixos-system-web1';
const hand = '/nix/store/hand-nixos-system-web1';
const before = '/nix/store/before-nixos-system-web1';
const other = '6d1c9f0e-0000-4000-8000-00000000000b';

const { testedIn, waitsIn, ...plain } = fullJournal.running ?? fail();
const nixos: Running = { ...plain, kind: 'nixos', path: own, generation: 5 };
const exec: Running = { ...plain, kind: 'exec', generation: 5 };

function journal(running: Running | null, more: Partial<Journal> = {}): Journal {
  return { ...fullJournal, drift: null, lastGood: 5, ...more, running };
}

/** As the agent left it, but for these. */
function sight(leads: Partial<Sighting['leads']> = {}, system: string | null = own): Sighting {
  const left = { profile: own, 'current-system': own, current: 'generations/5' };
  return { boot, leads: { ...left, ...leads }, system };
}

function fail(): never {
  throw new Error('the full journal runs nothing');
}

const trial: Running = { ...nixos, generation: 6, path: '/nix/store/tried', testedIn: boot };
const waiting: Running = { ...nixos, waitsIn: boot };

describe('a machine has strayed links when they lead elsewhere than the agent left them', () => {
  test.each<[string, Running, Sighting, readonly LinkName[]]>([
    ['NixOS as it was left', nixos, sight(), []],
    ['`nixos-rebuild boot`: the profile', nixos, sight({ profile: hand }), ['profile']],
    ['`nixos-rebuild test`: what runs', nixos, sight({ 'current-system': hand }), ['current-system']],
    [
      '`nixos-rebuild switch`: both',
      nixos,
      sight({ profile: hand, 'current-system': hand }),
      ['profile', 'current-system'],
    ],
    ['the boot menu: an older one runs', nixos, sight({ 'current-system': before }), ['current-system']],
    ['a profile that is gone', nixos, sight({ profile: null }), ['profile']],
    ['NixOS never asks for `current`', nixos, sight({ current: 'generations/1' }), []],
    ['exec as it was left', exec, sight({ profile: null, 'current-system': null }), []],
    ['exec, and another generation', exec, sight({ current: 'generations/4' }), ['current']],
    ['exec, and no link', exec, sight({ current: null }), ['current']],
    ['exec never asks for links of NixOS', exec, sight({ profile: hand, 'current-system': hand }), []],
    ['a boot default that waits: what ran runs on', waiting, sight({ 'current-system': before }), []],
    [
      'a boot default that waits, and another one in its place',
      waiting,
      sight({ profile: hand, 'current-system': before }),
      ['profile'],
    ],
    [
      'a boot default that should run since the reboot, and does not',
      { ...nixos, waitsIn: other },
      sight({ 'current-system': before }),
      ['current-system'],
    ],
    ['a boot default that runs since the reboot', { ...nixos, waitsIn: other }, sight(), []],
    ['a trial, which is not what boots', trial, sight({ 'current-system': '/nix/store/tried' }), []],
    ['a trial that was switched away from', trial, sight({ 'current-system': hand }), ['current-system']],
    [
      'a trial under which the boot default was changed',
      trial,
      sight({ 'current-system': '/nix/store/tried', profile: hand }),
      ['profile'],
    ],
    [
      'a trial whose boot default nobody can name: its profile is not judged',
      trial,
      sight({ 'current-system': '/nix/store/tried', profile: hand }, null),
      [],
    ],
    ['a trial of exec: `current` is the boot default', { ...trial, kind: 'exec' }, sight(), []],
    [
      'a trial of exec, made the boot default by hand',
      { ...trial, kind: 'exec' },
      sight({ current: 'generations/6' }),
      ['current'],
    ],
  ])('%s', (_, running, sighting, links) => {
    expect(findStrays(journal(running), sighting)?.map(({ link }) => link)).toEqual(links);
  });

  test('each is said with where it leads and where it should', () => {
    const strays = findStrays(journal(nixos), sight({ profile: hand, 'current-system': null }));
    expect(strays).toEqual([
      { link: 'profile', should: own, leads: hand },
      { link: 'current-system', should: own, leads: null },
    ]);
  });
});

describe('nobody can tell', () => {
  const astray = sight({ profile: hand, 'current-system': hand, current: 'generations/1' });

  test.each<[string, Running | null, Sighting]>([
    ['before anything was deployed', null, astray],
    ['after a switch that was neither finished nor undone', uncertain(nixos), astray],
    ['after a reboot that ended a trial, before that is forgotten', { ...trial, testedIn: other }, astray],
  ])('%s', (_, running, sighting) => {
    expect(findStrays(journal(running), sighting)).toBeNull();
  });

  test.each(phases)('in phase $at only while the agent itself moves the links', (phase) => {
    const isOwn = phase.at === 'switch' || phase.at === 'confirm' || phase.at === 'rollback';
    expect(findStrays(journal(nixos, { phase }), astray) === null).toBe(isOwn);
  });

  test('and then nothing that is known is forgotten', () => {
    const drift = { strays: [{ link: 'profile', should: own, leads: hand }] } as const;
    expect(driftNews(journal(uncertain(nixos), { drift }), sight())).toBeUndefined();
  });
});

describe('there is news of a drift', () => {
  const strays: readonly Stray[] = [{ link: 'current', should: 'generations/5', leads: 'generations/4' }];
  const strayed = sight({ current: 'generations/4' });

  test('once for each finding, and once when it was undone', () => {
    expect(driftNews(journal(exec), sight())).toBeUndefined();
    expect(driftNews(journal(exec), strayed)).toEqual({ strays });
    expect(driftNews(journal(exec, { drift: { strays } }), strayed)).toBeUndefined();
    const further = driftNews(journal(exec, { drift: { strays } }), sight({ current: null }));
    expect(further).toEqual({ strays: [{ ...strays[0], leads: null }] });
    expect(driftNews(journal(exec, { drift: { strays } }), sight())).toBeNull();
  });
});

test('a sentence names the link, where it leads, and where the agent had it lead', () => {
  const said = driftSentences({
    strays: [
      { link: 'profile', should: own, leads: hand },
      { link: 'current-system', should: own, leads: null },
      { link: 'current', should: 'generations/5', leads: '/tmp' },
    ],
  });
  expect(said).toEqual([
    `the system profile was changed by hand: it leads to ${hand}; the agent had it lead to ${own}`,
    `/run/current-system is missing or no link any more; the agent had it lead to ${own}`,
    'var/lib/autark/current was changed by hand: it leads to /tmp; the agent had it lead to generations/5',
  ]);
});

test('a machine boots what runs, but from a trial what was last good', () => {
  expect(bootsInto({ running: null, lastGood: 3 })).toBeNull();
  expect(bootsInto({ running: nixos, lastGood: 3 })).toBe(5);
  expect(bootsInto({ running: trial, lastGood: 3 })).toBe(3);
});
