import { afterAll, describe, expect, test } from 'vitest';
import { diagnose } from '../rig/diagnosis.ts';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed, newest } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';

const fleet = await makeDeployed();
const { host } = fleet;
afterAll(() => fleet.world.remove());

const push = (motd: string, lines: readonly string[]): Promise<string> =>
  fleet.server.commit({ files: { ...execHost('web1', motd), 'fleet.yaml': fleet.fleetYaml('web1', lines) } });

describe('paused', () => {
  test('a host is held, says why in its branch, once, and runs what it ran', async () => {
    const before = host.running();
    const revision = await push('paused', ['paused: { reason: "disk swap" }']);
    const { code, stderr } = await host.agent();
    expect(code).toBe(10);
    expect(stderr).toMatch(/web1 is paused: disk swap \(fleet\.yaml, hosts\.web1\.paused\); remove `paused`/);
    expect(host.running()).toEqual(before);
    const record = await newest(host);
    expect(record.status.outcome).toMatchObject({ event: 'paused', code: 10, attempted: revision });
    expect(record.parents).toHaveLength(1);
    expect((await host.agent()).code).toBe(10);
    expect((await newest(host)).id).toBe(record.id);
    const status = await fleet.world.autark(['status', '--json']);
    expect((status.code ?? 0) & 16).toBe(16);
    expect(status.stdout).toMatch(/"state": "paused",\s+"cause": "disk swap"/);
  });

  test('until a time in the past is not paused', async () => {
    await push('over', ['paused: { reason: x, until: 2001-01-05T08:00Z }']);
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('over');
  });

  test('until a time in the future is paused', async () => {
    await push('later', ['paused: { reason: x, until: 2090-01-05T08:00Z }']);
    expect((await host.agent()).code).toBe(10);
    expect(host.motd()).toBe('over');
  });
});

describeWith(['faketime'], 'paused until a time that comes', () => {
  test('the host goes on by itself, without a push', async () => {
    expect((await host.agent({ before: ['faketime', '2091-01-01'] })).code).toBe(0);
    expect(host.motd()).toBe('later');
  });
});

describe('retired', () => {
  test('a host says so and stops; nothing of its system is touched', async () => {
    const [before, generations] = [host.running(), host.state('generations')];
    const revision = await push('never', ['retired: true']);
    const { code, stderr } = await host.agent();
    expect(code).toBe(13);
    expect(stderr).toMatch(/web1 is retired \(fleet\.yaml, hosts\.web1\.retired\); \S+/);
    expect(host.running()).toEqual(before);
    expect(host.state('generations')).toEqual(generations);
    const record = await newest(host);
    expect(record.status.outcome).toMatchObject({ event: 'retired', code: 13, attempted: revision });
    expect(record.parents).toHaveLength(1);
    expect((await host.agent()).code).toBe(13);
    expect((await newest(host)).id).toBe(record.id);
    expect((await fleet.world.mustAutark(['status', '--json'])).match(/"state": "(\w+)"/)?.[1]).toBe(
      'retired',
    );
    // No agent runs, and none shall.
    const said = await diagnose(fleet.world, { cwd: fleet.world.dir, root: host.root });
    expect([said.is('agent'), said.is('units'), said.is('state')]).toEqual(['well', 'well', 'well']);
  });
});
