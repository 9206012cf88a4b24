import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../rig/needs.ts';
import { copySources, fixture } from '../rig/nix-module.ts';
import { makeStore, type NixStore } from '../rig/nix.ts';

const features = ['--extra-experimental-features', 'nix-command flakes'];
/** nixpkgs is one that stands in, and is not looked for elsewhere. */
const standIn = ['--override-input', 'nixpkgs', `path:${fixture}`, '--no-write-lock-file'];

describeWith(['nix'], 'the flake', () => {
  let dir: string;
  let flake: string;
  let store: NixStore;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'autark-flake-'));
    flake = join(dir, 'autark');
    copySources(flake);
    store = await makeStore(join(dir, 'nix'));
  });
  afterAll(async () => {
    await store.nix('chmod', '-R', 'u+w', dir);
    rmSync(dir, { recursive: true, force: true });
  });
  const nix = (...args: readonly string[]): Promise<string> => store.nix('nix', ...features, ...args);
  const evaluated = async (output: string, apply = 'each: each'): Promise<unknown> =>
    JSON.parse(
      await nix('eval', '--json', ...standIn, '--apply', apply, `path:${flake}#${output}`),
    ) as unknown;

  test('has a package, an overlay, a module and a shell, and nothing else', async () => {
    const shown = JSON.parse(await nix('flake', 'show', '--json', ...standIn, `path:${flake}`)) as unknown;
    const shell = { default: { name: 'shell', type: 'derivation' } };
    const named = { name: expect.stringMatching(/^autark-[\d.]+$/) as unknown, type: 'derivation' };
    const packages = { autark: named, default: named };
    expect(shown).toMatchObject({
      devShells: { 'aarch64-linux': shell, 'x86_64-linux': shell },
      nixosModules: { default: { type: 'nixos-module' } },
      overlays: { default: { type: 'nixpkgs-overlay' } },
      packages: { 'aarch64-linux': packages, 'x86_64-linux': packages },
    });
    expect(Object.keys(shown as object).sort()).toEqual([
      'devShells',
      'nixosModules',
      'overlays',
      'packages',
    ]);
  });

  test('is what Nix takes for a flake that is well', async () => {
    await nix('flake', 'check', '--no-build', ...standIn, `path:${flake}`);
  });

  test('adds autark to nixpkgs by its overlay, and nothing else', async () => {
    const packages = '{ callPackage = file: _: toString (baseNameOf file); }';
    expect(await evaluated('overlays.default', `overlay: overlay ${packages} { }`)).toEqual({
      autark: 'package.nix',
    });
  });

  test('serves a fleet’s flake that follows its own nixpkgs', async () => {
    const fleet = join(dir, 'fleet');

    mkdirSync(fleet);
    const flakeNix = `{
  inputs.nixpkgs.url = "path:${fixture}";
  inputs.autark = { url = "path:${flake}"; inputs.nixpkgs.follows = "nixpkgs"; };
  outputs = { nixpkgs, autark, ... }: {
    nixosConfigurations.web1 = nixpkgs.lib.nixosSystem {
      modules = [
        autark.nixosModules.default
        {
          networking.hostName = "web1";
          nixpkgs.hostPlatform = "x86_64-linux";
          users.motd = "";
          services.autark = {
            enable = true;
            host = "web1";
            remote = "/srv/fleet.git";
            introduction = "${'3c5e'.repeat(10)}";
          };
        }
      ];
    };
  };
}
`;
    writeFileSync(join(fleet, 'flake.nix'), flakeNix);
    const system = await store.build(`path:${fleet}`, 'web1');

    expect(readFileSync(join(system, 'etc/autark/agent.yaml'), 'utf8')).toContain('host: "web1"\n');
    // Without its own unit a host would be held.
    const unit = readFileSync(join(system, 'etc/systemd/system/autark.service'), 'utf8');
    expect(unit).toMatch(/^ExecStart=\S+-autark-[\d.]+\/bin\/autark agent$/m);
  });
});
