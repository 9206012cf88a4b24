import { afterAll, beforeAll, expect, test } from 'vitest';
import { newest } from '../rig/fleet.ts';
import { relink } from '../rig/links.ts';
import { describeWith } from '../rig/needs.ts';
import { makeNixosFleet, nixosFiles, type NixosFleet } from '../rig/nix.ts';

const running = 'run/current-system';

describeWith(['nix'], 'a NixOS host that is switched by hand', () => {
  let fleet: NixosFleet;
  /** The system before the one that runs. */
  let older: string;
  let own: string;
  const deploy = async (motd: string, yaml: readonly string[] = []): Promise<void> => {
    const files = { ...nixosFiles({ web1: { motd } }), 'fleet.yaml': fleet.fleetYaml('web1', yaml) };
    await fleet.server.commit({ files });
    const { code, stderr } = await fleet.host.agent();
    expect(code, stderr).toBe(0);
  };
  /** As `nixos-rebuild boot` does it. */
  const setProfile = (path: string) =>
    fleet.host.store.nix('nix-env', '-p', fleet.host.path('nix/var/nix/profiles/system'), '--set', path);
  const told = async (): Promise<string> => {
    expect((await fleet.host.agent()).code).toBe(0);
    const { outcome } = (await newest(fleet.host)).status;
    return `${outcome.event}: ${outcome.message ?? ''}`;
  };
  beforeAll(async () => {
    fleet = await makeNixosFleet('autark-drift');
    await deploy('older');
    older = fleet.host.profile() ?? '';
    await deploy('own');
    own = fleet.host.profile() ?? '';
  });
  afterAll(() => fleet.world.remove());

  test('says of the profile, of what runs, and of both, what leads where; and that it was undone', async () => {
    const { host } = fleet;
    const profile = `the system profile was changed by hand: it leads to ${older}; the agent had it lead to ${own}`;
    const system = `/run/current-system was changed by hand: it leads to ${older}; the agent had it lead to ${own}`;
    await setProfile(older);
    expect(await told()).toBe(`drifted: ${profile}`);
    relink(host, running, older);
    expect(await told()).toBe(`drifted: ${profile}; ${system}`);
    await setProfile(own);
    expect(await told()).toBe(`drifted: ${system}`);
    relink(host, running, own);
    expect(await told()).toBe('drifted: ');
    expect((await newest(host)).subject).toBe('web1: drifted no more');
  });

  test('with a boot default that waits is judged by its profile alone, until it booted', async () => {
    const { host } = fleet;
    await deploy('at boot', ['activate: boot']);
    const waiting = host.profile() ?? '';
    expect(host.current()).toBe(own);
    expect(await told()).toBe('deployed: ');
    await setProfile(older);
    expect(await told()).toMatch(/^drifted: the system profile .*; the agent had it lead to \S+$/);
    await setProfile(waiting);
    expect(await told()).toBe('drifted: ');
    relink(host, running, waiting);
    const { id } = await newest(host);
    expect(await told()).toBe('drifted: ');
    expect((await newest(host)).id).toBe(id);
  });
});
