import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { buildScript, execHost } from '../rig/exec-system.ts';
import { makeDeployed, newest } from '../rig/fleet.ts';

const fleet = await makeDeployed();
const { host } = fleet;
afterAll(() => fleet.world.remove());

describe('generations', () => {
  const push = (motd: string, keep: number): Promise<string> =>
    fleet.server.commit({
      files: { ...execHost('web1', motd), 'fleet.yaml': fleet.fleetYaml('web1', [`keep: ${keep}`]) },
    });

  test('are numbered, and pruned down to `keep` besides current and previous', async () => {
    for (const number of [2, 3, 4, 5]) {
      await push(`motd ${number}`, 1);
      expect((await host.agent()).code).toBe(0);
      expect(readlinkSync(host.path('var/lib/autark/current'))).toBe(`generations/${number}`);
      expect((await newest(host)).status.system?.generation).toBe(number);
    }
    expect(host.state('generations')).toEqual(['3', '4', '5']);
    expect(host.state('systems')).toHaveLength(3);
    const path = (await newest(host)).status.system?.path ?? '';
    expect(readFileSync(`${path}/etc/motd`, 'utf8')).toBe('motd 5\n');
  });

  test('with `keep: 0`, the one to go back to is there when it is needed', async () => {
    await push('motd 6', 0);
    expect((await host.agent()).code).toBe(0);
    expect(host.state('generations')).toEqual(['5', '6']);
    const failing = {
      executable: buildScript.replace(
        'set -eu\nsystem',
        'set -eu\n[ "$AUTARK_REVISION" = "$(cat $(dirname $0)/../good 2>/dev/null)" ] || exit 1\nsystem',
      ),
    };
    await fleet.server.commit({ files: { 'hosts/web1/build': failing } });
    expect((await host.agent()).code).toBe(40);
    // Current and previous are what they were: the failed one is gone, with its system.
    expect(host.motd()).toBe('motd 6');
    expect(host.state('generations')).toEqual(['5', '6']);
    expect(host.state('systems')).toHaveLength(2);
    expect(readlinkSync(host.path('var/lib/autark/current'))).toBe('generations/6');
  });
});

describe('inputs', () => {
  const builds = (): number =>
    existsSync(host.path('builds'))
      ? readFileSync(host.path('builds'), 'utf8').trimEnd().split('\n').length
      : 0;
  const counting = {
    executable: buildScript.replace('\n', '\necho "groups: $AUTARK_GROUPS" >>"$AUTARK_ROOT/builds"\n'),
  };
  const yaml = (lines: readonly string[] = []): string =>
    fleet
      .fleetYaml('web1', lines)
      .replace(/^( +system: .*hosts\/web1\/build)/m, '$1, inputs: [hosts/web1, common]')
      .replace(/^groups:.*/m, 'groups:\n  web: {}');
  const agent = async (files: Parameters<typeof fleet.server.commit>[0]['files']): Promise<string> => {
    await fleet.server.commit({ ...(files === undefined ? {} : { files }) });
    expect((await host.agent()).code).toBe(0);
    return (await newest(host)).status.outcome.event;
  };

  test('unchanged mean no build', async () => {
    expect(
      await agent({
        ...execHost('web1', 'in'),
        'hosts/web1/build': counting,
        'common/first': 'x\n',
        'fleet.yaml': yaml(),
      }),
    ).toBe('deployed');
    const before = builds();
    expect(await agent({ 'docs/readme': 'x\n' })).toBe('unchanged');
    expect(builds()).toBe(before);
    expect(await agent({ 'docs/readme': 'y\n' })).toBe('unchanged');
    expect(builds()).toBe(before);
  });

  test('changed mean one, be it a file, a file that was not there, the groups, or the build program', async () => {
    const before = builds();
    expect(await agent({ 'hosts/web1/motd': 'other\n' })).toBe('deployed');
    expect(builds()).toBe(before + 1);
    expect(await agent({ 'common/file': 'now there\n' })).toBe('unchanged');
    expect(builds()).toBe(before + 2);
    expect(await agent({ 'fleet.yaml': yaml(['groups: [web]']) })).toBe('unchanged');
    expect(builds()).toBe(before + 3);
    expect(readFileSync(host.path('builds'), 'utf8')).toMatch(/\ngroups: web\n$/);
    expect(host.motd()).toBe('other');
  });
});
