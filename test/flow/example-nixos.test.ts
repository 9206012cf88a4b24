import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Files, type Fleet, makeFleet, newest } from '../rig/fleet.ts';
import { relink } from '../rig/links.ts';
import { describeWith } from '../rig/needs.ts';
import { makeStore, nixosHost, type NixosHost, textOf } from '../rig/nix.ts';
import { copySources, fixture } from '../rig/nix-module.ts';
import { exampleFiles, lockFor, textIn } from '../rig/nixos-example.ts';
import { reboots } from '../rig/reboots.ts';

describeWith(['nix'], 'the example for NixOS', () => {
  let fleet: Fleet;
  let lock: string;
  let server: NixosHost;
  let laptop: NixosHost;
  beforeAll(async () => {
    fleet = await makeFleet('autark-example-nixos');
    const store = await makeStore(join(fleet.world.dir, 'nix'), { settings: ['download-attempts = 1'] });
    const sources = join(fleet.world.dir, 'autark');
    copySources(sources);
    lock = await lockFor(store, { nixpkgs: fixture, autark: sources });
    const joined = async (name: string) => nixosHost(await fleet.join(name, ['--system', 'nixos']), store);
    server = await joined('server');
    laptop = await joined('laptop');
  });
  afterAll(() => fleet.world.remove());

  const push = (files: Files): Promise<string> => fleet.server.commit({ files });
  const runs = async (host: NixosHost, code = 0): Promise<string> => {
    // Whatever has no lock is looked for where nobody listens.
    const ran = await host.agent({ env: { https_proxy: 'http://127.0.0.1:1' } });
    expect(ran.code, ran.stderr).toBe(code);
    return ran.stderr;
  };
  const outcome = async (host: NixosHost) => (await newest(host)).status.outcome;
  const inProfile = (host: NixosHost, path: string): string | null =>
    textOf(join(host.profile() ?? 'no profile', path));

  test('without a lock is a failed build that says how to make one, and nothing runs', async () => {
    const revision = await push(exampleFiles(fleet.fleetYaml('server')));
    for (const host of [server, laptop]) {
      expect(await runs(host, 30)).toContain('run `nix flake lock` in a clone, commit flake.lock and push');
      expect(await outcome(host)).toMatchObject({ event: 'failed', code: 30, attempted: revision });
      expect([host.profile(), host.current(), host.activations()]).toEqual([null, null, []]);
    }
  });

  test('with one, each host has its own system: the server at once, the laptop from its next boot on', async () => {
    await push({ 'flake.lock': lock });
    for (const host of [server, laptop]) {
      await runs(host);
      expect(await outcome(host)).toMatchObject({ event: 'deployed', code: 0 });
      expect(inProfile(host, 'etc/hostname')).toBe(`${host.name}\n`);
    }
    expect(server.activations()).toEqual(['switch server']);
    expect(server.current()).toBe(server.profile());
    expect(laptop.activations()).toEqual(['boot laptop']);
    expect(laptop.current()).toBeNull();
    const status = (await newest(laptop)).status;
    expect(status.rebootRequired).toBe(true);
    // `heartbeat: never`: no record is promised.
    expect([Object.hasOwn(status, 'next'), Object.hasOwn((await newest(server)).status, 'next')]).toEqual([
      false,
      true,
    ]);
  });

  test('declares the agent’s unit so that a switch leaves the agent alone', () => {
    for (const host of [server, laptop]) {
      const unit = (inProfile(host, 'etc/systemd/system/autark.service') ?? '').split('\n');
      for (const line of ['Type=notify', 'KillMode=mixed', 'Restart=always', 'TimeoutStopSec=90'])
        expect(unit).toContain(line);
      expect(unit).toEqual(
        expect.arrayContaining(['X-StopOnRemoval=false', 'X-RestartIfChanged=false']) as unknown,
      );
      const text = unit.join('\n');
      expect(text).toMatch(/^ExecStart=\S+-autark-[\d.]+\/bin\/autark agent$/m);
      const path = /^Environment=PATH=(\S+)$/m.exec(text)?.[1]?.split(':') ?? [];
      const programs = ['nix', 'git', 'openssh', 'util-linux', 'lvm2', 'mdadm', 'cryptsetup'];
      expect(path.map((folder) => /-([a-z][a-z0-9-]*)\/bin$/.exec(folder)?.[1])).toEqual(programs);
    }
  });

  test('a change of the laptop is nothing to the server, and a revert undoes it', async () => {
    const before = [server.profile(), laptop.profile()];
    const tree = await fleet.server.git(['rev-parse', 'refs/heads/main^{tree}']);
    const changed = textIn('hosts/laptop.nix').replace('Europe/Berlin', 'Europe/Lisbon');
    await push({ 'hosts/laptop.nix': changed });
    for (const host of [server, laptop]) await runs(host);
    expect((await outcome(server)).event).toBe('unchanged');
    expect((await outcome(laptop)).event).toBe('deployed');
    expect(server.activations()).toEqual(['switch server']);
    expect(inProfile(laptop, 'configuration.json')).toContain('Europe/Lisbon');

    await fleet.server.commit({ tree, subject: 'Revert' });
    for (const host of [server, laptop]) await runs(host);
    expect([server.profile(), laptop.profile()]).toEqual(before);
    expect(inProfile(laptop, 'configuration.json')).toContain('Europe/Berlin');
    expect((await outcome(laptop)).event).toBe('deployed');
    expect(server.activations()).toEqual(['switch server']);
  });

  test('tries a revision on the laptop alone, until its branch is gone and it boots', async () => {
    const profile = laptop.profile();
    // Nothing is tried on it before it has booted into what waits for that.
    reboots(laptop);
    mkdirSync(laptop.path('run'), { recursive: true });
    relink(laptop, 'run/current-system', profile ?? '');
    await runs(laptop);
    expect((await outcome(laptop)).event).toBe('rebooted');
    const motd = textIn('common.nix').replace(/users\.motd = ".*"/, 'users.motd = "on trial"');
    const ref = 'refs/heads/testing/laptop';
    await fleet.server.commit({ files: { 'common.nix': motd }, ref });
    for (const host of [server, laptop]) await runs(host);
    expect(laptop.activations().at(-1)).toBe('test laptop');
    expect([laptop.motd(), laptop.profile()]).toEqual(['on trial', profile]);
    expect(server.activations()).toEqual(['switch server']);

    await fleet.server.git(['update-ref', '-d', ref]);
    await runs(laptop);
    expect(laptop.profile()).toBe(profile);
    // With `activate: boot` main is what the next boot brings; until then the status asks for one.
    expect([laptop.activations().at(-1), laptop.motd()]).toEqual(['boot laptop', 'on trial']);
    expect((await newest(laptop)).status.rebootRequired).toBe(true);
  });

  test('says which revision it is made from where the line for that is enabled', async () => {
    const flake = textIn('flake.nix').replace(
      '# { system.configurationRevision',
      '{ system.configurationRevision',
    );
    expect(flake).not.toBe(textIn('flake.nix'));
    const revision = await push({ 'flake.nix': flake });
    await runs(server);
    expect(inProfile(server, 'nixos-version')).toBe(`${revision}\n`);
    expect((await outcome(server)).event).toBe('deployed');
  });
});
