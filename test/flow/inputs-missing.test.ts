import { afterAll, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed, newest } from '../rig/fleet.ts';

const fleet = await makeDeployed('autark-inputs');
const { host } = fleet;
afterAll(() => fleet.world.remove());

const push = (inputs: string, motd: string): Promise<string> => {
  const yaml = fleet
    .fleetYaml('web1')
    .replace(/^( +system: .*hosts\/web1\/build)/m, `$1, inputs: [${inputs}]`);
  return fleet.server.commit({ files: { ...execHost('web1', motd), 'fleet.yaml': yaml } });
};

test.each([
  ['beside one that is there', 'hosts/web1, comon'],
  ['as the only one', 'hosts/wbe1'],
  ['below a file', 'hosts/web1/motd/x'],
])(
  'an input that the tree lacks, %s, is invalid (21), and nothing passes for unchanged',
  async (_name, inputs) => {
    await push('hosts/web1', 'as declared');
    expect((await host.agent()).code).toBe(0);
    const [before, tip] = [host.running(), await newest(host)];
    for (const motd of ['as declared', 'a change that must not be lost']) {
      const revision = await push(inputs, motd);
      const { code, stderr } = await host.agent();
      expect(code).toBe(21);
      expect(stderr).toMatch(
        /input \S+ is not in this revision \(fleet\.yaml, hosts\.web1\.system\.inputs\); \S+/,
      );
      expect(host.running()).toEqual(before);
      const { status } = await newest(host);
      expect(status.outcome).toMatchObject({ event: 'failed', code: 21, attempted: revision });
      expect(status.system).toEqual(tip.status.system);
      expect((await host.agent()).code).toBe(21);
    }
    const since = (await host.records()).slice(tip.status.seq + 1);
    expect(since.map(({ status }) => status.outcome.event)).toEqual(['failed', 'failed']);

    await push('hosts/web1', `mended from ${inputs}`);
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe(`mended from ${inputs}`);
    expect((await newest(host)).status.outcome.event).toBe('deployed');
  },
);
