import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
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
    const system = (files['system.nix'] ?? '').replace('\\${build}', () => look.build);
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
});
