import { mkdirSync, renameSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Files } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { makeNixosFleet, nixosFiles, type NixosFleet } from '../rig/nix.ts';
import { failedByWorld, flakeOf, refusedNixos } from '../rig/refused-nixos.ts';
import { must } from '../rig/run.ts';

describeWith(['nix'], 'a NixOS host keeps its system when', () => {
  let fleet: NixosFleet;
  let good: string;
  beforeAll(async () => {
    fleet = await makeNixosFleet('autark-nixos-bad');
    good = await fleet.server.commit({ files: nixosFiles({ web1: { motd: 'good' } }) });
    const { code, stderr } = await fleet.host.agent();
    expect(code, stderr).toBe(0);
  });
  afterAll(() => fleet.world.remove());

  const refused = (files: Files, code = 30) => refusedNixos(fleet, { good, files }, code);

  test('the flake has no such attribute', async () => {
    const { record } = await refused(nixosFiles({ web2: { motd: 'other' } }));
    expect(record.status.outcome.message).toMatch(/nixosConfigurations\.web1 cannot be evaluated: .*web1/);
    expect(record.status.outcome.message).toContain('(flake.nix');
  });

  test('there is no flake.nix', async () => {
    const { record } = await refused({ 'flake.nix': null });
    expect(record.status.outcome.message).toBe('there is no flake.nix in this revision (flake.nix)');
  });

  describe('evaluation fails', () => {
    const from = { 'flake.nix': flakeOf('import ./hosts/web1.nix { role = "web"; }') };
    test.each([
      [
        'by throw',
        'let\n  made.motd = throw "no such role";\nin builtins.seq made.motd role',
        /no such role/,
      ],
      ['by a type error', 'let\n  made.motd = 1 + "x";\nin builtins.seq made.motd role', /cannot add/],
      ['by infinite recursion', 'let\n  x = x;\nin builtins.seq x role', /infinite recursion/],
      ['by bad syntax', 'let\n  x = ;\nin x', /syntax error/],
      ['by an undefined variable', 'let\n  x = nowhere;\nin builtins.seq x role', /undefined variable/],
    ])('%s: the file and line in the tree are shown', async (_, expression, words) => {
      const { record } = await refused({ ...from, 'hosts/web1.nix': `{ role }:\n${expression}\n` });
      const message = record.status.outcome.message ?? '';
      expect(message).toMatch(words);
      expect(message).toMatch(/\(hosts\/web1\.nix:3:\d+\)$/);
    });

    test('because what it imports cannot be built: its log is shown', async () => {
      const ifd = `import (make "imported" "echo reason of the import; exit 4")`;
      const { record } = await refused({ 'flake.nix': flakeOf(ifd) });
      expect(record.status.outcome.message).toContain('a derivation failed to build');
      expect(record.body).toContain('reason of the import');
    });
  });

  describe('an input', () => {
    let repository: string;
    let inputs: string;
    let lock: string;
    const files = (): Record<string, string> => {
      const { 'flake.nix': flake = '', ...others } = nixosFiles({ web1: { motd: 'with input' } }, inputs);
      const used = 'builtins.seq (builtins.readFile "${inputs.lib}/text") (import ./system.nix self)';
      return { ...others, 'flake.nix': flake.replace('import ./system.nix self', () => used) };
    };
    beforeAll(async () => {
      const { world, host } = fleet;
      repository = join(world.dir, 'lib');
      inputs = `inputs.lib = { url = "git+file://${repository}"; flake = false; };`;
      const git = (...args: string[]) => must('git', ['-C', repository, ...args], { env: world.env });
      mkdirSync(repository);
      await git('init', '--quiet', '--initial-branch=main');
      writeFileSync(join(repository, 'text'), 'text\n');
      await git('add', 'text');
      await git('commit', '--quiet', '--message=Text');
      const draft = join(world.dir, 'draft');
      mkdirSync(draft);
      for (const [name, text] of Object.entries(files())) writeFileSync(join(draft, name), text);
      const features = ['--extra-experimental-features', 'nix-command flakes'];
      await host.store.nix('nix', ...features, 'flake', 'lock', `path:${draft}`);
      lock = readFileSync(join(draft, 'flake.lock'), 'utf8');
    });
    /** The lock file with other fields of what is locked; `undefined` removes one. */
    const locked = (change: Readonly<Record<string, unknown>>): string => {
      const value = JSON.parse(lock) as { nodes: { lib: { locked: Record<string, unknown> } } };
      Object.assign(value.nodes.lib.locked, change);
      return JSON.stringify(value);
    };

    test('is in no lock file', async () => {
      const { record } = await refused(files());
      expect(record.status.outcome.message).toMatch(/does not lock every input.*\(flake\.lock\)$/);
      expect(record.status.outcome.remedy).toContain('nix flake lock');
    });

    test('is not locked by the lock file', async () => {
      const loose = { rev: undefined, narHash: undefined, revCount: undefined, lastModified: undefined };
      const { record } = await refused({ ...files(), 'flake.lock': locked(loose) });
      expect(record.status.outcome.message).toMatch(/\(flake\.lock\)$/);
    });

    test('is not what its hash says', async () => {
      const narHash = `sha256-${'A'.repeat(43)}=`;
      const { record } = await refused({ ...files(), 'flake.lock': locked({ narHash }) });
      expect(record.status.outcome.message).toMatch(/not what its hash says.*\(flake\.lock\)$/);
    });

    test('cannot be reached (50), and it recovers by itself when that is back', async () => {
      const { host, server } = fleet;
      await server.commit({ tree: good, files: { ...files(), 'flake.lock': lock } });
      await host.store.nix('nix-collect-garbage');
      for (const cache of [host.path('var/lib/autark/nix/.cache'), join(host.store.dir, '.cache')])
        rmSync(cache, { recursive: true, force: true });
      renameSync(repository, `${repository}.away`);
      const { stderr } = await failedByWorld(fleet, {}, 50);
      expect(stderr).toMatch(/an input of the flake cannot be fetched: .*\(flake\.lock\)/);
      renameSync(`${repository}.away`, repository);
      const ran = await host.agent();
      expect(ran.code, ran.stderr).toBe(0);
      expect(host.motd()).toBe('with input');
    });
  });
});
