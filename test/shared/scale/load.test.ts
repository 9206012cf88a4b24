import { describe, expect, test } from 'vitest';
import { checkLoad } from '../../../shared/doctor/load.ts';
import { forgeAt, type Address } from '../../../shared/scale/forges.ts';
import { allowed, fitting, loadOf, measured, type Rhythm } from '../../../shared/scale/load.ts';

const hour = 3_600_000;
const fleetOf = (hosts: number, interval = 60_000, heartbeat: number | null = 24 * hour): readonly Rhythm[] =>
  Array.from({ length: hosts }, () => ({ interval, heartbeat }));
const at = (server: string, transport: Address['transport'] = 'ssh'): Address => ({ server, transport });
const local: Address = { server: null, transport: 'local' };

describe('the model', () => {
  test('a host polls once an interval, and a record is a push and two more fetches', () => {
    const quiet = loadOf(fleetOf(60, 60_000, null), 0, 'ssh');
    expect(quiet.fetchesPerSecond).toBeCloseTo(1);
    expect(quiet.pushesPerSecond).toBe(0);
    const load = loadOf(fleetOf(24, 60_000, 24 * hour), 0, 'ssh');
    expect(load.pushesPerSecond * 3600).toBeCloseTo(1);
    expect(load.fetchesPerSecond).toBeCloseTo(24 / 60 + 2 / 3600);
    const changed = loadOf(fleetOf(10, 60_000, null), 24, 'ssh');
    expect(changed.pushesPerSecond * 3600).toBeCloseTo(10);
  });

  test('bytes are those of polls and of records, which grow with the branches that the server lists', () => {
    const { poll, record, branch } = measured.ssh;
    expect(loadOf(fleetOf(1, 60_000, null), 0, 'ssh').bytesPerDay).toBeCloseTo(1440 * poll);
    const hundred = loadOf(fleetOf(100, 60_000, 24 * hour), 0, 'ssh').bytesPerDay;
    expect(hundred).toBeCloseTo(100 * (1440 * poll + record + 100 * branch));
    expect(loadOf(fleetOf(100), 0, 'local').bytesPerDay).toBe(0);
  });

  test('hosts with intervals of their own are added up', () => {
    const mixed = [...fleetOf(1, 10_000, null), ...fleetOf(1, 40_000, null)];
    expect(loadOf(mixed, 0, 'ssh').fetchesPerSecond).toBeCloseTo(0.125);
    expect(loadOf([], 0, 'ssh')).toMatchObject({ hosts: 0, fetchesPerSecond: 0, bytesPerDay: 0 });
  });

  test.each([
    [1000, 15, 67_000],
    [900, 15, 60_000],
    [6000, 15, 400_000],
    [10_000, 15, 11 * 60_000 + 60_000],
    [100_000, 0.1, 12 * 86_400_000],
  ])('%i hosts fit into %d a second with an interval of %i ms', (hosts, perSecond, interval) => {
    expect(fitting(hosts, perSecond)).toBe(interval);
    // It does fit, and is at most a twentieth longer than it must be, or a step.
    expect(hosts / (fitting(hosts, perSecond) / 1000)).toBeLessThanOrEqual(perSecond * (1 + 1e-9));
  });
});

describe('what forges publish', () => {
  test('is known by the server’s name, in any case, and differs by transport', () => {
    expect(forgeAt(at('GitHub.com'))?.name).toBe('GitHub');
    expect(forgeAt(at('ssh.github.com'))?.name).toBe('GitHub');
    expect(forgeAt(at('git.example.org'))).toBeNull();
    expect(forgeAt(at('notgithub.com'))).toBeNull();
    expect(forgeAt(at('codeberg.org'))).toMatchObject({ fetches: null, pushes: null });
    const rate = (server: string, transport: Address['transport']): number => {
      const limit = forgeAt(at(server, transport))?.fetches;
      return limit == null ? Number.NaN : allowed(limit, { transport });
    };
    expect(rate('github.com', 'ssh')).toBe(15);
    expect(rate('github.com', 'http')).toBe(15);
    expect(rate('gitlab.com', 'ssh')).toBe(10);
    // An http fetch is two requests.
    expect(rate('gitlab.com', 'http')).toBeCloseTo(10_000 / 60 / 2);
    expect(rate('bitbucket.org', 'ssh')).toBeCloseTo(60_000 / 3600);
  });
});

describe('a fleet beside its server’s limit', () => {
  const check = (rhythms: readonly Rhythm[], fetched: Address, pushed = fetched) =>
    checkLoad(rhythms, fetched, pushed);

  test('that polls more often than is allowed is told the interval that fits', () => {
    const [found, ...others] = check(fleetOf(1000, 60_000, null), at('github.com'));
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      is: 'not-well',
      finding: {
        code: 1,
        cause: expect.stringMatching(
          /1000 hosts make 17 fetches a second; GitHub publishes 15 operations a second/,
        ) as string,
        where: expect.stringContaining('https://docs.github.com/') as string,
        remedy: expect.stringContaining('`interval: 67s`') as string,
      },
    });
    const mended = check(fleetOf(1000, 67_000, null), at('github.com'));
    expect(mended.map(({ is }) => is)).toEqual(['well']);
  });

  test('at the limit is well', () => {
    expect(check(fleetOf(900, 60_000, null), at('github.com'))[0]?.is).toBe('well');
    expect(check(fleetOf(901, 60_000, null), at('github.com'))[0]?.is).toBe('not-well');
  });

  test('whose records alone tip the scales is told an interval that leaves room for them', () => {
    const [found] = check(fleetOf(900), at('github.com'));
    expect(JSON.stringify(found)).toContain('`interval: 61s`');
    expect(check(fleetOf(900, 61_000), at('github.com'))[0]?.is).toBe('well');
  });

  test('that says alive too often is told the heartbeat that fits', () => {
    // 6 pushes a minute are 360 an hour.
    const [found] = check(fleetOf(400, hour, hour), at('github.com'));
    expect(JSON.stringify(found)).toContain('`heartbeat: 67m`');
  });

  test('whose records go elsewhere is held against that server for them', () => {
    const busy = fleetOf(400, hour, hour);
    expect(check(busy, at('github.com'), at('git.example.org'))[0]?.is).toBe('well');
    expect(check(busy, at('git.example.org'), at('github.com'))[0]?.is).toBe('not-well');
  });

  test('of a server without published limits is only told its numbers', () => {
    const huge = fleetOf(100_000, 1000, 1000);
    for (const server of ['codeberg.org', 'git.example.org'])
      expect(check(huge, at(server))[0]?.is).toBe('well');
    expect(JSON.stringify(check(huge, at('codeberg.org')))).toContain('publishes no limit');
    expect(check(huge, local)[0]?.is).toBe('well');
  });
});
