import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newest, type Files } from '../rig/fleet.ts';
import { describeWith, type Need } from '../rig/needs.ts';
import { makeNixosFleet, nixosFiles, recordNix, type NixosFleet } from '../rig/nix.ts';
import { otherNix } from '../rig/other-nix.ts';
import { endAll } from '../rig/processes.ts';
import { flakeOf, refusedNixos } from '../rig/refused-nixos.ts';
import type { Suite } from '../rig/rootfs.ts';

const versions: readonly (readonly [string, Suite | null, readonly Need[]])[] = [
  ['the Nix of this machine', null, ['nix']],
  ['the Nix of trixie', 'trixie', ['root', 'trixie']],
  ['the Nix of sid', 'sid', ['root', 'sid']],
];
for (const [name, suite, needs] of versions) {
  describeWith(needs, name, () => {
    let programs: string;
    let fleet: NixosFleet;
    let first: string;
    beforeAll(async () => {
      programs = mkdtempSync(join(tmpdir(), 'autark-other-nix-'));
      const options = suite === null ? {} : { programs: otherNix(suite, programs) };
      fleet = await makeNixosFleet('autark-versions', options);
    });
    afterAll(async () => {
      endAll(fleet.world.dir);
      await fleet.world.remove();
      rmSync(programs, { recursive: true, force: true });
    });

    const deploy = async (files: Files) => {
      const revision = await fleet.server.commit({ files });
      const ran = await fleet.host.agent();
      expect(ran.code, ran.stderr).toBe(0);
      return revision;
    };
    const refused = (files: Files) => refusedNixos(fleet, { good: first, files }, 30);

    test('builds a system, sets the profile and activates it', async () => {
      const { host } = fleet;
      first = await deploy(nixosFiles({ web1: { motd: 'one' } }));
      expect(host.running()).toEqual({ motd: 'one', activations: ['switch one'] });
      const path = (await newest(host)).status.system?.path ?? '';
      expect(path).toMatch(new RegExp(`^${host.store.dir}/store/[0-9a-z]{32}-nixos-system-web1$`));
      expect([host.profile(), host.current()]).toEqual([path, path]);
    });

    test('finds a flake in a subdirectory, and what lies beside it', async () => {
      const { host, server } = fleet;
      const below = Object.entries(nixosFiles({ web1: { motd: 'below' } }));
      const moved = Object.fromEntries(below.map(([file, text]) => [`machines/nixos/${file}`, text]));
      const yaml = fleet
        .fleetYaml('web1')
        .replace(/(?<=^ {4})system: \{ kind: nixos.*\}/m, 'system: { kind: nixos, dir: machines/nixos }');
      expect(yaml).toContain('dir: machines/nixos');
      await deploy({ 'flake.nix': null, 'system.nix': null, ...moved, 'fleet.yaml': yaml });
      expect(host.motd()).toBe('below');
      expect(await server.head()).toBe((await newest(host)).status.system?.revision);
    });

    test('goes back by a revert without evaluating', async () => {
      const { host, server } = fleet;
      await server.commit({ tree: first });
      const asked = fleet.host.store.env['PATH'] ?? '';
      const recorded = await recordNix(fleet.world.dir, asked);
      // Another program of the name would be another Nix: only what asks whether a path is valid is recorded.
      rmSync(join(recorded.programs, 'nix'));
      const { code, stderr } = await host.agent({ env: { PATH: `${recorded.programs}:${asked}` } });
      expect(code, stderr).toBe(0);
      expect(recorded.calls().map(([program = '', verb = '']) => [program, verb])).toEqual([
        ['nix-store', '--check-validity'],
      ]);
      expect(host.motd()).toBe('one');
      expect(host.activations()).toEqual(['switch one', 'switch below', 'switch one']);
    });

    test('tells of a derivation that fails, with its log', async () => {
      const failing = { motd: 'bad', build: 'echo one; echo two >&2; exit 3' };
      const { record } = await refused(nixosFiles({ web1: failing }));
      expect(record.status.outcome.message).toContain('a derivation failed to build');
      expect(record.status.outcome.message).toContain('exit code 3');
      expect(record.body).toMatch(/\n *one\n *two\n/);
    });

    test.each([
      ['throw "no such role"', /no such role/],
      ['1 + "x"', /cannot add/],
      ['let x = x; in x', /infinite recursion/],
    ])('tells of an evaluation that fails: %s, with file and line', async (expression, words) => {
      const { record } = await refused({
        'flake.nix': flakeOf('import ./hosts/web1.nix { }'),
        'hosts/web1.nix': `{ }:\nlet\n  made.motd = ${expression};\nin builtins.seq made.motd made\n`,
      });
      expect(record.status.outcome.message).toMatch(words);
      expect(record.status.outcome.message).toMatch(/\(hosts\/web1\.nix:3:\d+\)$/);
    });
  });
}
