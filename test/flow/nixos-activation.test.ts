import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newest, type Files } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { makeNixosFleet, nixosFiles, type NixosFleet } from '../rig/nix.ts';

describeWith(['nix'], 'a NixOS system', () => {
  let fleet: NixosFleet;
  const deploy = async (files: Files) => {
    const revision = await fleet.server.commit({ files });
    return { revision, ran: await fleet.host.agent() };
  };
  beforeAll(async () => {
    fleet = await makeNixosFleet();
    await deploy(nixosFiles({ web1: { motd: 'first' } }));
  });
  afterAll(() => fleet.world.remove());

  describe('an activation', () => {
    test.each([
      ['1', 40, 'exited with code 1'],
      ['4', 40, 'units failed (exit code 4)'],
    ])('that exits with %s is gone back from, profile and all', async (exit, code, cause) => {
      const { host } = fleet;
      const [before, profile] = [host.motd(), host.profile()];
      const { revision, ran } = await deploy(
        nixosFiles({ web1: { motd: `exit ${exit}`, activation: `exit ${exit}` } }),
      );
      expect(ran.code, ran.stderr).toBe(code);
      expect([host.motd(), host.profile()]).toEqual([before, profile]);
      const { outcome } = (await newest(host)).status;
      expect(outcome).toMatchObject({ event: 'rolled-back', code, attempted: revision });
      expect(outcome.message).toContain(cause);
    });

    test('that exits with 100 asks for a reboot', async () => {
      const { host } = fleet;
      const late = { motd: 'new init', activation: 'trap "exit 100" EXIT' };
      const { ran } = await deploy(nixosFiles({ web1: late }));
      expect(ran.code, ran.stderr).toBe(0);
      expect((await newest(host)).status).toMatchObject({
        rebootRequired: true,
        outcome: { event: 'deployed' },
      });
    });
  });

  test('with `activate: boot` becomes the boot default and runs on as it is', async () => {
    const { host } = fleet;
    await deploy(nixosFiles({ web1: { motd: 'live' } }));
    const [profile, current] = [host.profile(), host.current()];
    const yaml = fleet.fleetYaml('web1', ['activate: boot']);
    const { ran } = await deploy({ ...nixosFiles({ web1: { motd: 'later' } }), 'fleet.yaml': yaml });
    expect(ran.code, ran.stderr).toBe(0);
    expect(host.activations().slice(-1)).toEqual(['boot later']);
    expect(host.motd()).toBe('live');
    expect(host.current()).toBe(current);
    expect(host.profile()).not.toBe(profile);
    expect((await newest(host)).status.rebootRequired).toBe(true);
    await deploy({ 'fleet.yaml': fleet.fleetYaml('web1') });
  });

  test('that says it must not be switched live becomes the boot default, and the host asks for a reboot', async () => {
    const { host } = fleet;
    await deploy(nixosFiles({ web1: { motd: 'dbus', inhibitors: { dbus: 'dbus-1', gone: '1' } } }));
    expect(host.motd()).toBe('dbus');
    const next = { motd: 'broker', inhibitors: { dbus: 'broker-37', added: '2' } };
    const { ran } = await deploy(nixosFiles({ web1: next }));
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).toContain('dbus must not change under a running system');
    expect(host.motd()).toBe('dbus');
    expect(host.activations().slice(-1)).toEqual(['boot broker']);
    expect((await newest(host)).status.rebootRequired).toBe(true);
    // Against what runs, not what was made the boot default.
    const back = { motd: 'dbus again', inhibitors: { dbus: 'dbus-1' } };
    expect((await deploy(nixosFiles({ web1: back }))).ran.code).toBe(0);
    expect(host.activations().slice(-1)).toEqual(['switch dbus again']);
  });

  test('without the agent’s own unit is held: it would orphan the machine', async () => {
    const { host } = fleet;
    const before = [host.running(), host.profile(), host.state('systems')];
    const { revision, ran } = await deploy(nixosFiles({ web1: { motd: 'orphan', orphan: true } }));
    expect(ran.code, ran.stderr).toBe(10);
    expect([host.running(), host.profile(), host.state('systems')]).toEqual(before);
    const { outcome } = (await newest(host)).status;
    expect(outcome).toMatchObject({ event: 'held', code: 10, attempted: revision, phase: 'guard' });
    expect(outcome.message).toContain(
      'does not contain the agent’s own unit autark.service'.replace('’', "'"),
    );
  });

  test('without a program that activates it is a failed build', async () => {
    const { host } = fleet;
    const before = host.running();
    const { ran } = await deploy(nixosFiles({ web1: { motd: 'inert', inert: true } }));
    expect(ran.code, ran.stderr).toBe(30);
    expect(host.running()).toEqual(before);
    expect(ran.stderr).toContain('there is no bin/switch-to-configuration');
  });
});

describeWith(['nix'], 'a NixOS machine that ran something before', () => {
  test('goes back to that when its first generation fails', async () => {
    const fleet = await makeNixosFleet();
    try {
      const { host, server } = fleet;
      // What the installer left: a system of its own, made without autark.
      const files = nixosFiles({ web1: { motd: 'installed' } });
      const ref = 'refs/heads/installer';
      await server.commit({ files, ref });
      const path = await host.store.build(`git+file://${fleet.world.remote}?ref=${ref}`, 'web1');
      mkdirSync(host.path('nix/var/nix/profiles'), { recursive: true });
      await host.store.nix('nix-env', '-p', host.path('nix/var/nix/profiles/system'), '--set', path);
      await host.store.nix(
        'env',
        `AUTARK_ROOT=${host.root}`,
        `${path}/bin/switch-to-configuration`,
        'switch',
      );
      expect(host.motd()).toBe('installed');

      await server.commit({ files: nixosFiles({ web1: { motd: 'broken', activation: 'exit 1' } }) });
      const ran = await host.agent();
      expect(ran.code, ran.stderr).toBe(40);
      expect(host.running()).toEqual({
        motd: 'installed',
        activations: ['switch installed', 'switch installed'],
      });
      expect([host.profile(), host.current()]).toEqual([path, path]);
      expect((await newest(host)).status).toMatchObject({
        system: null,
        outcome: { event: 'rolled-back', code: 40 },
      });
      await server.commit({ files: nixosFiles({ web1: { motd: 'mended' } }) });
      expect((await host.agent()).code).toBe(0);
      expect(host.motd()).toBe('mended');
    } finally {
      await fleet.world.remove();
    }
  });
});
