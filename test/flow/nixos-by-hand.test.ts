import { rmSync, symlinkSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newest } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { makeNixosFleet, nixosFiles, type NixosFleet, type SmallSystem } from '../rig/nix.ts';

describeWith(['nix'], 'a NixOS host that is rolled back by hand', () => {
  let fleet: NixosFleet;
  const deploy = async (system: SmallSystem): Promise<string> => {
    const revision = await fleet.server.commit({ files: nixosFiles({ web1: system }) });
    const { code, stderr } = await fleet.host.agent();
    expect(code, stderr).toBe(0);
    return revision;
  };
  beforeAll(async () => {
    fleet = await makeNixosFleet('autark-back');
  });
  afterAll(() => fleet.world.remove());

  test('runs, and boots, what ran before; and goes on after resume', async () => {
    const { host } = fleet;
    const right = await deploy({ motd: 'right' });
    const profile = host.profile();
    const left = await deploy({ motd: 'wrong' });
    const { code, stderr } = await host.autark(['rollback']);
    expect(code, stderr).toBe(0);
    expect([host.motd(), host.profile(), host.current()]).toEqual(['right', profile, profile]);
    expect((await host.agent()).code).toBe(10);
    expect((await newest(host)).trailers).toMatchObject({
      ...{ 'Autark-Event': 'rolled-back', 'Autark-Revision': right, 'Autark-Attempted': left },
      'Autark-System': profile,
    });
    expect((await host.autark(['resume'])).code).toBe(0);
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('wrong');
    expect(host.profile()).toBe(host.current());
  });

  test('that must not be switched to live boots it next time', async () => {
    const { host } = fleet;
    await deploy({ motd: 'old kernel', inhibitors: { kernel: '1' } });
    const profile = host.profile();
    await deploy({ motd: 'new kernel', inhibitors: { kernel: '2' } });
    // A boot runs it.
    const booted = host.profile() ?? '';
    rmSync(host.path('run/current-system'));
    symlinkSync(booted, host.path('run/current-system'));
    const { code, stderr } = await host.autark(['rollback']);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/reboot to run it/);
    expect(host.activations().at(-1)).toBe('boot old kernel');
    expect([host.profile(), host.current()]).toEqual([profile, booted]);
    expect((await host.agent()).code).toBe(10);
    expect((await newest(host)).status.rebootRequired).toBe(true);
  });
});
