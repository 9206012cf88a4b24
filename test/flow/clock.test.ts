import { afterAll, beforeAll, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed, newest } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';

describeWith(['faketime'], 'a clock that is decades off', () => {
  let fleet: Fleet & { host: FleetHost };
  let host: FleetHost;
  beforeAll(async () => {
    fleet = await makeDeployed();
    host = fleet.host;
  });
  afterAll(() => fleet.world.remove());

  const deploy = async (motd: string, before: readonly string[]) => {
    await fleet.server.commit({ files: execHost('web1', motd) });
    return host.agent({ before });
  };

  test.each([
    ['before 2000', '1980-01-01'],
    ['at the epoch', '1970-01-01 00:00:10'],
    ['beyond 2038', '2065-01-01'],
  ])('%s deploys, and its record is valid', async (_name, date) => {
    const { code } = await deploy(date, ['env', 'TZ=UTC', 'faketime', date]);
    expect(code).toBe(0);
    expect(host.motd()).toBe(date);
    const { id, status } = await newest(host);
    expect(status.at).toContain(date.slice(0, 10));
    expect(await fleet.server.git(['show', '-s', '--format=%cd', '--date=format:%Y-%m-%d', id])).toBe(
      date.slice(0, 10),
    );
    expect(await fleet.server.git(['fsck', '--strict', '--no-dangling', '--no-progress'])).toBe('');
  });

  test('and right again, it goes on where it was: one record after the other', async () => {
    expect((await deploy('today', ['env'])).code).toBe(0);
    const seqs = (await host.records()).map(({ status }) => status.seq);
    expect(seqs).toEqual([...seqs.keys()]);
    const log = JSON.parse(await fleet.world.mustAutark(['log', '--json'])) as {
      entries: { seq: number; verified: boolean }[];
    };
    expect(log.entries.map(({ seq }) => seq)).toEqual(seqs.toReversed());
    expect(log.entries.every(({ verified }) => verified)).toBe(true);
  });

  test.each(['1980-01-01', '2065-01-01'])('is said, with what to do: %s', async (date) => {
    const { stderr } = await deploy(`said ${date}`, ['faketime', date]);
    expect(stderr).toMatch(/ warn warning web1 .*clock/);
  });
});
