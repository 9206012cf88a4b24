import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { version } from '../../shared/version.ts';
import { describeWith } from '../rig/needs.ts';
import { makeStore, type NixStore } from '../rig/nix.ts';
import { type Evaluator, fixture, makeEvaluator, repository } from '../rig/nix-module.ts';
import { must, run } from '../rig/run.ts';

interface Locked {
  readonly version: string;
  readonly integrity: string;
  readonly dev?: boolean;
}
const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};

/**
 * The package as nixpkgs would build it, but that each of its tarballs is made of what `npm ci` has put into
 * `node_modules`, for there may be no network: `runCommand` runs what it is given, with Bash and the tools of this
 * machine.
 */
const built = (): string => `let
  nixpkgs = (import ${fixture}/flake.nix).outputs { };
  pkgs = nixpkgs.legacyPackages.x86_64-linux;
  runCommand = name: attrs: text: derivation ({
    inherit name;
    system = "x86_64-linux";
    builder = "/bin/bash";
    PATH = "\${nodejs}/bin:/usr/bin:/bin";
    # A builder whose last program has closed its output would be ended for that.
    args = [ "-euc" (text + "\\nexit 0\\n") ];
  } // builtins.removeAttrs attrs [ "meta" "nativeBuildInputs" ]);
  nodejs = derivation {
    name = "nodejs";
    system = "x86_64-linux";
    builder = "/bin/sh";
    args = [ "-euc" "/bin/mkdir -p $out/bin; /bin/ln -s ${process.execPath} $out/bin/node; exit 0" ];
  };
  tarball = { name, version, integrity }: runCommand (builtins.replaceStrings [ "@" "/" ] [ "" "-" ] name) { } ''
    for each in ${repository}/node_modules/{,*/node_modules/,@*/*/node_modules/}\${name}; do
      if grep -qF '"version": "\${version}"' "$each/package.json" 2>/dev/null; then
        tar --create --gzip --exclude ./node_modules --transform 's,^\\.,package,' --directory "$each" --file $out .
        exit 0
      fi
    done
    exit 1
  '';
in import ${repository}/nix/package.nix {
  inherit (pkgs) lib callPackage git openssh runtimeShell;
  inherit nodejs runCommand;
  npmTarball = tarball;
}`;

describeWith(['nix'], 'the package for Nix', () => {
  let dir: string;
  let store: NixStore;
  let nix: Evaluator;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'autark-package-'));
    store = await makeStore(dir);
    nix = await makeEvaluator(dir);
  });
  afterAll(async () => {
    await run('chmod', ['-R', 'u+w', dir], { env: { PATH: process.env['PATH'] ?? '' } });
    rmSync(dir, { recursive: true, force: true });
  });

  test('fetches what the lock has for run time, and TypeScript, each with the hash that the lock names', async () => {
    const asked = await nix.value(`let
      pkgs = nixpkgs.legacyPackages.x86_64-linux;
      tarball = each: "(\${builtins.toJSON each})";
      package = import (autark + "/nix/package.nix") {
        inherit (pkgs) lib callPackage git nodejs openssh runtimeShell;
        runCommand = _: _: text: text;
        npmTarball = tarball;
      };
    in builtins.filter builtins.isList (builtins.split "unpack [(]([^)]*)[)] ([^ \n]*)" package)`);
    const got = (asked as [string, string][]).map(([json, to]) => [
      to.replace(/^.*?(?=node_modules)/, ''),
      JSON.parse(json) as unknown,
    ]);
    const wanted = Object.entries(lock.packages).filter(
      ([path, { dev }]) => path !== '' && (dev !== true || path === 'node_modules/typescript'),
    );
    expect(wanted.length).toBeGreaterThan(50);
    const expected = wanted.map(([path, { version, integrity }]) => [
      path,
      { name: path.replace(/^.*node_modules\//, ''), version, integrity },
    ]);
    const byPath = (a: readonly unknown[], b: readonly unknown[]): number =>
      String(a[0]) < String(b[0]) ? -1 : 1;
    expect(got.sort(byPath)).toEqual(expected.sort(byPath));
  });

  test('each tarball can be nothing but what has the hash', async () => {
    const [, one] = Object.entries(lock.packages).find(([path]) => path === 'node_modules/yaml') ?? [];
    const said = await nix.value(`let
      fetched = import (autark + "/nix/npm-tarball.nix") {
        inherit (nixpkgs) lib;
        inherit (nixpkgs.legacyPackages.x86_64-linux) cacert nodejs;
        runCommand = name: attrs: text: { inherit name attrs text; };
      } { name = "@scope/yaml"; version = "${one?.version ?? ''}"; integrity = "${one?.integrity ?? ''}"; };
    in { inherit (fetched) name text; inherit (fetched.attrs) outputHash impureEnvVars; }`);
    expect(said).toMatchObject({
      name: `scope-yaml-${one?.version ?? ''}.tgz`,
      outputHash: one?.integrity,
      impureEnvVars: expect.arrayContaining(['npm_config_registry']) as unknown,
      text: expect.stringContaining(`'@scope/yaml@${one?.version ?? ''}'`) as unknown,
    });
  });

  test('is a program that finds its units, and needs nothing of this repository', async () => {
    const said = await store.nix('nix-build', '--no-out-link', '--expr', built());
    const out = said.split('\n').at(-1) ?? '';
    const program = join(out, 'bin/autark');
    const env = { PATH: '/usr/bin:/bin', HOME: dir };
    expect(await must(program, ['--version'], { env })).toBe(version);
    expect(readFileSync(program, 'utf8')).toMatch(/-git\/bin:\S+-openssh\/bin"$/m);
    expect(readFileSync(join(out, 'lib/autark/systemd/autark.service'), 'utf8')).toBe(
      readFileSync(join(repository, 'systemd/autark.service'), 'utf8'),
    );
    expect(readFileSync(join(out, 'share/man/man1/autark.1'), 'utf8')).toMatch(/^\.TH AUTARK/im);
    expect(readFileSync(join(out, 'share/bash-completion/completions/autark'), 'utf8')).toContain('_autark');
    // An agent that begins needs all of its dependencies, and that is as far as it comes without settings.
    const agent = await run(program, ['agent', '--once', '--root', join(dir, 'root')], { env });
    expect([agent.code, agent.stderr]).toEqual([2, expect.stringContaining('agent.yaml') as unknown]);
    // Neither the compiler nor a path out of the store.
    const inside = await must('find', [out, '-name', 'typescript'], { env });
    expect(inside).toBe('');
    const found = await run('grep', ['-rlF', `${repository}/`, out], { env });
    expect(found.stdout).toBe('');
  });
});
