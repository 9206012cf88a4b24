import { cpSync, existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeStore, type NixStore } from './nix.ts';
import { must, run, type RanProgram } from './run.ts';

export const repository = join(import.meta.dirname, '../..');
/** Stands in for nixpkgs. */
export const fixture = join(repository, 'test/fixtures/nixos/nixpkgs');

/** nixpkgs' own `lib`, where a person has it: `AUTARK_TEST_NIXPKGS` names a checkout, or its folder `lib`. */
export function realLib(): string | null {
  const given = process.env['AUTARK_TEST_NIXPKGS'];
  if (given === undefined || given === '') return null;
  return existsSync(join(given, 'lib/default.nix')) ? join(given, 'lib') : given;
}

/** A unit as NixOS has it in `systemd.services` and `systemd.timers`. */
export type NixUnit = Readonly<Record<string, unknown>>;

/** What a configuration with the module comes to. */
export interface Machine {
  readonly etc: Readonly<Record<string, { readonly text: string }>>;
  readonly services: Readonly<Record<string, NixUnit>>;
  readonly timers: Readonly<Record<string, NixUnit>>;
  /** The files that these are written to, by name, with `TARGET.wants/NAME` for each that a target wants. */
  readonly units: Readonly<Record<string, string>>;
  readonly mounts: readonly NixUnit[];
  readonly activation: Readonly<Record<string, NixUnit>>;
  readonly users: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly groups: Readonly<Record<string, unknown>>;
  readonly systemPackages: readonly string[];
  /** Messages of the assertions that do not hold. */
  readonly failed: readonly string[];
}

export interface Evaluator {
  readonly store: NixStore;
  /** The value of an expression, which may use `lib`, `nixpkgs` and `autark`, the path of this repository. */
  value(expression: string): Promise<unknown>;
  /** The same, for one that may fail. */
  tries(expression: string): Promise<RanProgram>;
  /** @param settings Nix: `services.autark` and whatever else a configuration may say */
  machine(settings: string): Promise<Machine>;
  /** How Nix complains of a configuration; empty where it does not. */
  complaint(settings: string): Promise<string>;
}

/** @param lib the folder of another `lib` than the one that stands in */
export async function makeEvaluator(dir: string, lib: string | null = null): Promise<Evaluator> {
  await mkdir(dir, { recursive: true });
  const store = await makeStore(dir);
  const bound = (expression: string): string => `let
  nixpkgs = (import ${fixture}/flake.nix).outputs { };
  lib = ${lib === null ? 'nixpkgs.lib' : `import ${lib}`};
  autark = ${repository};
in ${expression}`;
  const args = (expression: string): string[] => [
    '--eval',
    '--strict',
    '--json',
    '--expr',
    bound(expression),
  ];
  const env = { ...store.env, HOME: dir };
  const value = async (expression: string): Promise<unknown> =>
    JSON.parse(await must('nix-instantiate', args(expression), { env })) as unknown;
  const tries: Evaluator['tries'] = (expression) => run('nix-instantiate', args(expression), { env });
  return {
    ...{ store, value, tries },
    machine: async (settings) => (await value(machineOf(settings))) as Machine,
    complaint: async (settings) => (await tries(machineOf(settings))).stderr,
  };
}

/** Options of NixOS that the module sets, whatever they are there, so that one `lib` is enough. */
const machineOf = (settings: string): string => `let
  anything = type: lib.mkOption { inherit type; };
  loose = if lib ? types.attrsOf then {
    options = {
      assertions = anything (lib.types.listOf lib.types.anything);
      environment = anything (lib.types.attrsOf lib.types.anything);
      systemd = anything (lib.types.attrsOf lib.types.anything);
      users = anything (lib.types.attrsOf lib.types.anything);
      nix = anything (lib.types.attrsOf lib.types.anything);
      system = anything (lib.types.attrsOf lib.types.anything);
    };
  } else { };
  pkgs = nixpkgs.legacyPackages.x86_64-linux // { inherit lib; };
  evaluated = lib.evalModules {
    modules = [
      loose
      { nix.package = pkgs.nix; assertions = [ ]; systemd.services = { }; }
      (autark + "/nix/module.nix")
      { ${settings} }
    ];
    specialArgs = { inherit pkgs; };
  };
  inherit (evaluated) config;
  written = import ${fixture}/units.nix;
  files = kind: render: all: lib.zipAttrsWith or builtins.zipAttrsWith (_: builtins.head) (map (name: {
    "\${name}.\${kind}" = render all.\${name};
  } // builtins.listToAttrs (map (target: {
    name = "\${target}.wants/\${name}.\${kind}";
    value = "";
  }) (all.\${name}.wantedBy or [ ]))) (builtins.attrNames all));
in {
  etc = config.environment.etc or { };
  inherit (config.systemd) services;
  timers = config.systemd.timers or { };
  mounts = config.systemd.mounts or [ ];
  activation = config.system.activationScripts or { };
  units = files "service" written.service config.systemd.services
    // files "timer" written.timer (config.systemd.timers or { });
  users = config.users.users or { };
  groups = config.users.groups or { };
  systemPackages = map toString (config.environment.systemPackages or [ ]);
  failed = map (each: each.message) (builtins.filter (each: !each.assertion) config.assertions);
}`;

/** What a flake with autark as its input needs of this repository, copied. */
export function copySources(to: string): void {
  for (const path of sources) cpSync(join(repository, path), join(to, path), { recursive: true });
}

const sources = [
  ...['flake.nix', 'nix', 'systemd', 'agent', 'shared', 'docs/autark.1'],
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'LICENSE'],
];
