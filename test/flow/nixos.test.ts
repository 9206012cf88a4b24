import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newest, type Files } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { makeNixosFleet, nixosFiles, recordNix, type NixosFleet, type RecordedNix } from '../rig/nix.ts';

describeWith(['nix'], 'a NixOS host', () => {
  let fleet: NixosFleet;
  let recorded: RecordedNix;
  beforeAll(async () => {
    fleet = await makeNixosFleet();
    recorded = await recordNix(fleet.world.dir);
  });
  afterAll(() => fleet.world.remove());
  beforeEach(() => {
    recorded.forget();
  });

  const deploy = async (files: Files, env: Readonly<Record<string, string>> = {}) => {
    const revision = await fleet.server.commit({ files });
    const PATH = `${recorded.programs}:${process.env['PATH'] ?? ''}`;
    return { revision, ran: await fleet.host.agent({ env: { PATH, ...env } }) };
  };
  /** Names of Nix's programs that were started, with the verb of `nix` itself. */
  const started = (): readonly string[] =>
    recorded.calls().map(([program = '', verb = '']) => (program === 'nix' ? `nix ${verb}` : program));
  /** As `nix-collect-garbage -d` does it for a profile in its usual place. */
  const collectGarbage = async (): Promise<void> => {
    const { host } = fleet;
    const profile = host.path('nix/var/nix/profiles/system');
    await host.store.nix('nix-env', '-p', profile, '--delete-generations', 'old');
    await host.store.nix('nix-collect-garbage');
  };
  /** `fleet.yaml` with one more key in the host's `system`, which `approve` writes in one line. */
  const withSystem = (line: string): string => {
    const yaml = fleet.fleetYaml('web1');
    const changed = yaml.replace(
      /(?<=^ {4})system: \{ kind: nixos(?:, attr: \S+)? \}/m,
      `system: { kind: nixos, ${line} }`,
    );
    if (changed === yaml) throw new Error(`approve writes another system:\n${yaml}`);
    return changed;
  };
  const profileLinks = (): readonly string[] =>
    readdirSync(fleet.host.path('nix/var/nix/profiles')).filter((name) => name.endsWith('-link'));

  test('builds the system, sets the profile, and activates it', async () => {
    const { host } = fleet;
    const { revision, ran } = await deploy(nixosFiles({ web1: { motd: 'one' } }));
    expect(ran.code, ran.stderr).toBe(0);
    expect(host.running()).toEqual({ motd: 'one', activations: ['switch one'] });
    const record = await newest(host);
    expect(record.status.outcome).toMatchObject({ event: 'deployed', code: 0 });
    expect(record.status.system).toMatchObject({ kind: 'nixos', generation: 1, revision });
    const path = record.status.system?.path ?? '';
    expect(path).toMatch(new RegExp(`^${host.store.dir}/store/[0-9a-z]{32}-nixos-system-web1$`));
    expect(record.trailers['Autark-System']).toBe(path);
    expect([host.profile(), host.current()]).toEqual([path, path]);
    expect(started()).toEqual(['nix build', 'nix-env']);
  });

  test('tells the flake which revision it is, and nothing of Git is in it', async () => {
    const { host, server } = fleet;
    const look = {
      motd: 'look',
      build: 'ls -A ${self} | tr "\\\\n" " " >$TMPDIR/ls; mkdir -p $out; cp $TMPDIR/ls $out/ls',
    };
    const files = nixosFiles({ web1: look });
    const system = String(files['system.nix']).replace('\\${build}', () => look.build);
    const { revision, ran } = await deploy({
      ...files,
      'system.nix': system.replace('${build}', () => look.build),
    });
    expect(ran.code, ran.stderr).toBe(0);
    const path = (await newest(host)).status.system?.path ?? '';
    const count = await server.git(['rev-list', '--count', revision]);
    const date = await server.git(['log', '-1', '--format=%ct', revision]);
    expect(readFileSync(join(path, 'nixos-version'), 'utf8')).toBe(`${revision} ${count} ${date}\n`);
    const tracked = (await server.git(['ls-tree', '--name-only', revision])).split('\n');
    expect(readFileSync(join(path, 'ls'), 'utf8').trim().split(' ').sort()).toEqual(tracked.sort());
  });

  test('with nothing new starts no Nix', async () => {
    const { code } = await fleet.host.agent({ env: { PATH: `${recorded.programs}:/usr/bin:/bin` } });
    expect(code).toBe(0);
    expect(recorded.calls()).toEqual([]);
  });

  test('does not evaluate a tree again whose result it has; another Nix does', async () => {
    const { host, server } = fleet;
    await deploy(nixosFiles({ web1: { motd: 'two' } }));
    const [before, { status }] = [host.running(), await newest(host)];
    recorded.forget();
    const { revision, ran } = await deploy({});
    expect(ran.code, ran.stderr).toBe(0);
    expect(started()).toEqual(['nix-store']);
    expect(host.running()).toEqual(before);
    const record = await newest(host);
    expect(record.status.outcome.event).toBe('unchanged');
    expect(record.status.system).toEqual({ ...status.system, revision });

    // Nor one that only gave the same system again.
    const PATH = `${recorded.programs}:${process.env['PATH'] ?? ''}`;
    const elsewhere = nixosFiles({ web1: { motd: 'two', fixed: true }, web2: { motd: 'elsewhere' } });
    await deploy(nixosFiles({ web1: { motd: 'two', fixed: true } }));
    await deploy(elsewhere);
    expect((await newest(host)).status.outcome.event).toBe('unchanged');
    recorded.forget();
    await server.commit({});
    expect((await host.agent({ env: { PATH } })).code).toBe(0);
    expect(started()).toEqual(['nix-store']);

    recorded.forget();
    await server.commit({});
    const again = await recordNix(host.path('..'));
    expect(
      await host.agent({ env: { PATH: `${again.programs}:${process.env['PATH'] ?? ''}` } }),
    ).toMatchObject({ code: 0 });
    expect(again.calls().map(([, verb]) => verb)).toContain('build');
  });

  test('goes back by a revert without evaluating, and the profile gets no copy', async () => {
    const { host, server } = fleet;
    const { revision: first } = await deploy(nixosFiles({ web1: { motd: 'good' } }));
    const path = host.profile();
    await deploy(nixosFiles({ web1: { motd: 'bad' } }));
    const links = profileLinks();
    recorded.forget();
    await server.commit({ tree: first, subject: 'Revert' });
    const { ran } = {
      ran: await host.agent({ env: { PATH: `${recorded.programs}:${process.env['PATH'] ?? ''}` } }),
    };
    expect(ran.code, ran.stderr).toBe(0);
    expect(started()).toEqual(['nix-store']);
    expect(host.motd()).toBe('good');
    expect(host.profile()).toBe(path);
    expect(profileLinks()).toEqual(links);
    expect((await newest(host)).status.outcome.event).toBe('deployed');
  });

  test('evaluates again when the known result has left the store, and is not fooled by what is left of it', async () => {
    const { host, server } = fleet;
    const { revision: first } = await deploy(nixosFiles({ web1: { motd: 'lost' } }));
    const lost = host.profile() ?? '';
    await deploy(nixosFiles({ web1: { motd: 'other' } }));
    // Everything that holds it: the agent's roots and the profile's older generations.
    for (const name of host.state('systems')) rmSync(host.path('var/lib/autark/systems', name));
    await collectGarbage();
    expect(() => lstatSync(lost)).toThrow();
    await server.commit({ tree: first });
    const { code } = await host.agent();
    expect(code).toBe(0);
    expect(host.motd()).toBe('lost');
    // Named after another revision, so another path; and a whole one.
    expect(host.profile()).not.toBe(lost);
    expect(await host.store.nix('nix-store', '--verify-path', host.profile() ?? '')).toBe('');
  });

  test('keeps what it may go back to from garbage collection', async () => {
    const { host } = fleet;
    for (const motd of ['kept 1', 'kept 2']) await deploy(nixosFiles({ web1: { motd } }));
    const kept = (await host.records()).slice(-2).map(({ status }) => status.system?.path ?? '');
    await collectGarbage();
    for (const path of kept) expect(await host.store.nix('nix-store', '--check-validity', path)).toBe('');
    const { ran } = await deploy(nixosFiles({ web1: { motd: 'breaks', activation: 'exit 1' } }));
    expect(ran.code, ran.stderr).toBe(40);
    expect(host.motd()).toBe('kept 2');
  });

  test('lets go of generations that it no longer keeps', async () => {
    const { host, server } = fleet;
    const yaml = fleet.fleetYaml('web1', ['keep: 0']);
    const paths: string[] = [];
    for (const motd of ['a', 'b', 'c', 'd']) {
      await deploy({ ...nixosFiles({ web1: { motd } }), 'fleet.yaml': yaml });
      paths.push(host.profile() ?? '');
    }
    // Current and previous.
    expect(host.state('generations')).toHaveLength(2);
    expect(host.state('systems')).toHaveLength(2);
    await collectGarbage();
    const valid = await host.store.nix('nix-store', '--check-validity', '--print-invalid', ...paths);
    expect(valid.split('\n')).toEqual(paths.slice(0, 2));
    await server.commit({ files: { 'fleet.yaml': fleet.fleetYaml('web1') } });
    expect((await host.agent()).code).toBe(0);
  });

  test('finds its flake in a subdirectory', async () => {
    const { host } = fleet;
    const files = nixosFiles({ web1: { motd: 'below' } });
    const moved = Object.fromEntries(
      Object.entries(files).map(([name, text]) => [`machines/nixos/${name}`, text]),
    );
    const yaml = withSystem('dir: machines/nixos');
    const { ran } = await deploy({ 'flake.nix': null, 'system.nix': null, ...moved, 'fleet.yaml': yaml });
    expect(ran.code, ran.stderr).toBe(0);
    expect(host.motd()).toBe('below');
    await deploy({
      ...files,
      ...Object.fromEntries(Object.keys(moved).map((name) => [name, null])),
      'fleet.yaml': fleet.fleetYaml('web1'),
    });
    expect(host.motd()).toBe('below');
  });

  test('takes the attribute that fleet.yaml names', async () => {
    const yaml = withSystem('attr: 7th-server');
    const files = nixosFiles({ web1: { motd: 'not me' }, '7th-server': { motd: 'by attr' } });
    const { ran } = await deploy({ ...files, 'fleet.yaml': yaml });
    expect(ran.code, ran.stderr).toBe(0);
    expect(fleet.host.motd()).toBe('by attr');
    await deploy({ ...nixosFiles({ web1: { motd: 'back' } }), 'fleet.yaml': fleet.fleetYaml('web1') });
  });

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
