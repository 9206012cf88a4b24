import { mkdirSync } from 'node:fs';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { newest } from '../rig/fleet.ts';
import { relink } from '../rig/links.ts';
import { describeWith } from '../rig/needs.ts';
import { makeNixosFleet, nixosFiles, type NixosFleet } from '../rig/nix.ts';
import { reboots } from '../rig/reboots.ts';

describeWith(['nix'], 'a NixOS system that runs from the next boot on', () => {
  let fleet: NixosFleet;
  const made: NixosFleet[] = [];
  beforeEach(async () => {
    fleet = await makeNixosFleet();
    made.push(fleet);
    await fleet.server.commit({ files: nixosFiles({ web1: { motd: 'first' } }) });
    await cycles();
    const yaml = fleet.fleetYaml('web1', ['activate: boot']);
    await fleet.server.commit({ files: { ...nixosFiles({ web1: { motd: 'later' } }), 'fleet.yaml': yaml } });
    await cycles();
    expect(fleet.host.activations()).toEqual(['switch first', 'boot later']);
  });
  afterAll(async () => {
    for (const { world } of made) await world.remove();
  });

  const cycles = async (code = 0): Promise<void> => {
    const ran = await fleet.host.agent();
    expect(ran.code, ran.stderr).toBe(code);
  };
  const boots = (system: string | null): void => {
    reboots(fleet.host);
    mkdirSync(fleet.host.path('run'), { recursive: true });
    relink(fleet.host, 'run/current-system', system ?? '');
  };
  const events = async () => (await fleet.host.records()).slice(3).map(({ status }) => status.outcome.event);

  test('is confirmed once it is what was booted', async () => {
    boots(fleet.host.profile());
    await cycles();
    expect(await events()).toEqual(['rebooted']);
    expect((await newest(fleet.host)).status.rebootRequired).toBe(false);
  });

  test('is gone back from where the machine has booted something else', async () => {
    const { host } = fleet;
    const [first, later] = [host.current(), host.profile()];
    boots(first);
    await cycles(40);
    expect(await events()).toEqual(['rolled-back']);
    expect((await newest(host)).status.outcome.message).toContain(
      `the machine booted ${first ?? ''} instead`,
    );
    expect([host.profile(), host.activations().at(-1)]).toEqual([first, 'boot first']);
    expect(host.profile()).not.toBe(later);
  });

  test('is left to the person who has made another the boot default, and told as drift', async () => {
    const { host } = fleet;
    const first = host.current();
    await host.store.nix('nix-env', '-p', host.path('nix/var/nix/profiles/system'), '--set', first ?? '');
    const activations = host.activations();
    boots(first);
    await cycles();
    await cycles();
    expect(host.activations()).toEqual(activations);
    expect(await events()).toEqual(expect.arrayContaining(['rebooted', 'drifted']));
    expect(host.profile()).toBe(first);
    expect(JSON.parse(host.journal())).toMatchObject({ lastGood: 1, unproved: null });
  });
});
